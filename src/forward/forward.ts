import type { TunnelError } from '../errors.ts';
import type { ForwardSpec, Listen } from '../spec.ts';
import type { Carrier } from './carrier.ts';

/** What a forward tells while it is open. */
export interface ForwardHooks {
  readonly onConnection?: ((state: 'opened' | 'closed') => void) | undefined;
  /** One connection that could not be opened or that broke; nothing else is affected by it. */
  readonly onError?: ((error: TunnelError) => void) | undefined;
}

/** Something that is listened on, here or there, and whose connections are carried to the other side. */
export interface Forward {
  readonly spec: ForwardSpec;
  /** What is listened on, with `auto` replaced by the port: both loopback addresses, one address, or a socket's path. */
  readonly bound: readonly Listen[];
  /** Open now. */
  readonly open: number;
  /** Since the start, failed ones included. */
  readonly total: number;
  /** To the far end. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /**
   * Stops listening at once, lets open connections finish for up to `graceMs` (default 0) and destroys what is left then.
   * A later call with a shorter time shortens it. Removes a socket's file here if it is still ours.
   */
  close(options?: { graceMs?: number }): Promise<void>;
}

/** A forward whose connections `carrier` carries; `stopListening` is called when it is closed. */
export function carriedBy(
  carrier: Carrier,
  spec: ForwardSpec,
  bound: readonly Listen[],
  stopListening: () => Promise<void>,
): Forward {
  const acceptedHere = spec.kind !== 'remote';
  return {
    spec,
    bound,
    get open() {
      return carrier.open;
    },
    get total() {
      return carrier.total;
    },
    get bytesUp() {
      return acceptedHere ? carrier.fromAccepted : carrier.fromOpened;
    },
    get bytesDown() {
      return acceptedHere ? carrier.fromOpened : carrier.fromAccepted;
    },
    async close({ graceMs = 0 } = {}) {
      await Promise.all([stopListening(), carrier.close(graceMs)]);
    },
  };
}
