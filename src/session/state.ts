import { UsageError, type TunnelError } from '../errors.ts';

/** Where a session is in its life. Times are on one clock, in milliseconds; which one is the caller's choice. */
export type State =
  /** Not connected, since nobody needs it; or since the last attempt failed, for the reason. */
  | { readonly name: 'idle'; readonly reason?: TunnelError }
  | { readonly name: 'connecting' }
  | { readonly name: 'ready'; readonly since: number }
  /** Not connected; the next try is at `retryAt`. */
  | { readonly name: 'waiting'; readonly retryAt: number; readonly reason: TunnelError }
  | { readonly name: 'closing' }
  | { readonly name: 'closed'; readonly error?: TunnelError };

export type StateName = State['name'];

/** What happens to a session. */
export type Happening =
  /** Somebody wants to use the connection. */
  | { readonly type: 'needed' }
  | { readonly type: 'connected' }
  /** An attempt failed, or the connection is lost. */
  | { readonly type: 'failed'; readonly error: TunnelError }
  /** It is time for the next attempt, or somebody does not want to wait for it. */
  | { readonly type: 'retry' }
  | { readonly type: 'close' }
  /** Everything that was open is closed. */
  | { readonly type: 'ended' };

/** Bounds of the wait between two attempts, which doubles from one to the next. */
export interface Backoff {
  readonly minMs: number;
  readonly maxMs: number;
}

export interface Policy {
  /** Absent: what is lost stays lost. */
  readonly reconnect?: Backoff;
  /** Whether a first attempt that fails is followed by others. */
  readonly wait: boolean;
  /** Whether there is another way to the host now, so that this one is connected only when it is needed. */
  readonly lazy?: boolean;
}

export interface Life {
  readonly state: State;
  readonly hasBeenReady: boolean;
  /** Attempts that failed one after the other, and connections that did not last. */
  readonly failures: number;
}

/** Connects at once, unless it is lazy. */
export function born({ lazy = false }: Policy): Life {
  return { state: { name: lazy ? 'idle' : 'connecting' }, hasBeenReady: false, failures: 0 };
}

/**
 * The life after something happened. Pure: `now` is the time, `random` a number from 0 to 1 that spreads the attempts of
 * many clients of a server that restarted.
 */
export function next(life: Life, happening: Happening, policy: Policy, now: number, random: number): Life {
  const { state } = life;
  if (state.name === 'closed') return life;
  if (state.name === 'closing')
    return happening.type === 'ended' ? { ...life, state: { name: 'closed' } } : life;
  switch (happening.type) {
    case 'close':
      return { ...life, state: { name: 'closing' } };
    case 'needed':
      return state.name === 'idle' ? { ...life, state: { name: 'connecting' } } : life;
    case 'connected':
      return state.name === 'connecting'
        ? { ...life, state: { name: 'ready', since: now }, hasBeenReady: true }
        : life;
    case 'retry':
      return state.name === 'waiting' ? { ...life, state: { name: 'connecting' } } : life;
    case 'failed':
      return state.name === 'waiting' || state.name === 'idle'
        ? life
        : afterFailure(life, happening.error, policy, now, random);
    case 'ended':
      return life;
  }
}

function afterFailure(life: Life, error: TunnelError, policy: Policy, now: number, random: number): Life {
  const { reconnect } = policy;
  if (policy.lazy === true) {
    return { ...life, state: { name: 'idle', reason: error } };
  }
  const mayTryAgain = life.hasBeenReady || policy.wait;
  if (reconnect === undefined || !mayTryAgain || isHopeless(error)) {
    return { ...life, state: { name: 'closed', error } };
  }
  // A server that accepts and hangs up at once must not be asked twice a second for ever.
  const lasted = life.state.name === 'ready' && now - life.state.since >= reconnect.maxMs;
  const failures = lasted ? 0 : life.failures;
  const retryAt = now + waitMs(failures, reconnect, random);
  return { ...life, failures: failures + 1, state: { name: 'waiting', retryAt, reason: error } };
}

/** Doubles with each failure; between half and all of that, by chance. */
function waitMs(failures: number, { minMs, maxMs }: Backoff, random: number): number {
  const longest = Math.min(maxMs, minMs * 2 ** failures);
  return longest / 2 + (random * longest) / 2;
}

const HOPELESS = new Set([
  'authentication-failed',
  'bad-bind-address',
  'known-hosts-name',
  'no-algorithm',
  'password-expired',
  'ssh-missing',
]);

/** What does not get better by waiting: a person has to change something first. */
export function isHopeless(error: TunnelError): boolean {
  return error instanceof UsageError || error.code.startsWith('host-key-') || HOPELESS.has(error.code);
}
