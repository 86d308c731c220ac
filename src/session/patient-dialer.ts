import { setTimeout as delay } from 'node:timers/promises';
import type { Dialer } from '../endpoint.ts';
import { ConnectionLostError, type TunnelError } from '../errors.ts';
import { openFailure } from '../discover/channel-refusal.ts';
import { ChannelOpenError } from '../ssh/channel-open-error.ts';
import type { SshConnection } from '../ssh/connection.ts';
import type { Link } from './link.ts';

export interface Patience {
  /** How long what was accepted while there is no connection may wait for one. */
  readonly holdMs: number;
  /** How long a target that refuses is tried again, before a byte was sent. */
  readonly retryDialMs: number;
}

type DialledLink = Pick<Link, 'current' | 'connection' | 'state'>;

/** The first pause before a refused target is tried again; it doubles up to the last one. */
const FIRST_PAUSE_MS = 50;
const LAST_PAUSE_MS = 400;

/**
 * Dials over whatever connection a link has, and waits for one where it has none. A dial that is under way when the
 * connection is lost starts anew over the next one: until a channel is open nothing has been sent. A target that refuses
 * the connection is tried again for a moment, since a server that is being restarted does so, too.
 *
 * Rejects with `held-too-long` (`ConnectionLostError`) when there was no connection for `holdMs`.
 */
export function patientDialer(
  link: DialledLink,
  dialOver: (connection: SshConnection) => Dialer,
  { holdMs, retryDialMs }: Patience,
): Dialer {
  return async (endpoint, signal) => {
    for (;;) {
      const connection = await held(link, holdMs, () => heldTooLong(link, holdMs), signal);
      try {
        return await persistently(connection, retryDialMs, signal, (last) =>
          last ? dialOver(connection)(endpoint, signal) : connection.dial(endpoint, signal),
        );
      } catch (error) {
        if (!(error instanceof ConnectionLostError)) throw error;
        // The link may not know it yet, and would give the same connection again.
        await unlessAborted(connection.closed, signal);
      }
    }
  };
}

/** The connection that there is, or one that comes within `holdMs`; rejects with `tooLong()` when none does. */
export async function held(
  link: DialledLink,
  holdMs: number,
  tooLong: () => TunnelError,
  signal?: AbortSignal,
): Promise<SshConnection> {
  if (link.current !== undefined) return link.current;
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(tooLong()), holdMs);
  try {
    return await link.connection(
      signal === undefined ? patience.signal : AbortSignal.any([signal, patience.signal]),
    );
  } finally {
    clearTimeout(timer);
  }
}

function heldTooLong({ state }: DialledLink, holdMs: number): ConnectionLostError {
  const why = state.name === 'waiting' ? `: ${state.reason.message}` : '';
  return new ConnectionLostError(
    'held-too-long',
    `A connection was held for ${holdMs / 1000} s and then closed, since the session was not ready${why}`,
  );
}

/** Tries until it is not refused or `retryMs` have passed; the last try is told that it is, so that it explains. */
async function persistently<T>(
  connection: SshConnection,
  retryMs: number,
  signal: AbortSignal | undefined,
  dial: (last: boolean) => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + retryMs;
  for (let pause = FIRST_PAUSE_MS; performance.now() < deadline; pause = Math.min(2 * pause, LAST_PAUSE_MS)) {
    try {
      return await dial(false);
    } catch (error) {
      if (!(error instanceof ChannelOpenError)) throw error;
      if (!isRefusal(error)) break;
    }
    await Promise.race([delay(pause, undefined, signal && { signal }), connection.closed]);
  }
  return await dial(true);
}

/** Of a socket the server says only that it failed; of a port, in its own words, why. */
function isRefusal({ endpoint, reason, description }: ChannelOpenError): boolean {
  if (reason !== openFailure.connectFailed) return false;
  return endpoint.kind === 'unix' || /refused/i.test(description);
}

async function unlessAborted(work: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => reject(signal?.reason as Error);
    signal?.addEventListener('abort', abort, { once: true });
    void work.then(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
  });
}
