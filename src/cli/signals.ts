import { constants } from 'node:os';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export type StopSignal = (typeof STOP_SIGNALS)[number];

/** The signals that ask the program to stop. */
export interface StopSignals {
  /** Aborted by the first one: stop in good order. */
  readonly first: AbortSignal;
  /** Aborted by the second one: stop at once. */
  readonly second: AbortSignal;
  /** The first one, once there is one. */
  readonly received: StopSignal | undefined;
  /** The same as a SIGINT, for a Ctrl-C that a terminal in raw mode gives as a character. */
  readonly interrupt: () => void;
}

/** Takes those stop signals over for the rest of the process's life; it is up to the caller to stop. */
export function catchStopSignals(signals: readonly StopSignal[] = STOP_SIGNALS): StopSignals {
  const first = new AbortController();
  const second = new AbortController();
  let received: StopSignal | undefined;
  const handle = (signal: StopSignal) => {
    if (received) second.abort();
    received ??= signal;
    first.abort();
  };
  for (const signal of signals) process.on(signal, handle);
  return {
    first: first.signal,
    second: second.signal,
    get received() {
      return received;
    },
    interrupt: () => handle('SIGINT'),
  };
}

/** 128 and the signal's number, as a shell reports it: 130 for SIGINT. */
export function signalStatus(signal: StopSignal): number {
  return 128 + constants.signals[signal];
}

/** Fulfils when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
