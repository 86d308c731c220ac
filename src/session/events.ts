import type { TunnelError } from '../errors.ts';
import type { Forward } from '../forward/forward.ts';
import type { AccessRecord } from '../proxy/access-record.ts';
import type { Phase } from '../ssh/context.ts';
import type { Path } from '../wireguard/health-state.ts';

/** What is told of a forward: it may be in another process. */
export type ForwardView = Omit<Forward, 'close'>;

/** What happens in a session, in the order it happens. */
export type SessionEvent =
  | { readonly type: 'connecting'; readonly host: string; readonly phase: Phase }
  /** Logged in: the first time when everything is listened on, later after each loss. */
  | {
      readonly type: 'ready';
      readonly host: string;
      readonly user: string;
      readonly address: string;
      readonly via: Path;
    }
  /** From now on new connections to ports of the host go that way; `tookMs` is since the reason arose. */
  | {
      readonly type: 'via';
      readonly host: string;
      readonly via: Path;
      readonly reason: string;
      readonly tookMs: number;
    }
  /** Not connected, because of `error`; the next try is in `retryInMs`. What is listened on here stays. */
  | {
      readonly type: 'waiting';
      readonly host: string;
      readonly error: TunnelError;
      readonly retryInMs: number;
    }
  | { readonly type: 'forward'; readonly forward: ForwardView }
  /** A forward was closed, while the session goes on. */
  | { readonly type: 'cancelled'; readonly forward: ForwardView }
  | { readonly type: 'connection'; readonly forward: ForwardView; readonly state: 'opened' | 'closed' }
  /** The reverse proxy has served a request. */
  | { readonly type: 'request'; readonly forward: ForwardView; readonly request: AccessRecord }
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'debug'; readonly message: string }
  /** One connection of a forward that could not be opened or broke, or a forward that failed later on. */
  | { readonly type: 'error'; readonly forward: ForwardView; readonly error: TunnelError }
  | { readonly type: 'closed'; readonly host: string; readonly error?: TunnelError };
