import type { TunnelError } from '../errors.ts';
import type { Forward } from '../forward/forward.ts';
import type { Phase } from '../ssh/context.ts';

/** What happens in a session, in the order it happens. */
export type SessionEvent =
  | { readonly type: 'connecting'; readonly host: string; readonly phase: Phase }
  | { readonly type: 'ready'; readonly host: string; readonly user: string; readonly address: string }
  | { readonly type: 'forward'; readonly forward: Forward }
  | { readonly type: 'connection'; readonly forward: Forward; readonly state: 'opened' | 'closed' }
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'debug'; readonly message: string }
  /** One connection of a forward that could not be opened or broke; the session goes on. */
  | { readonly type: 'error'; readonly forward: Forward; readonly error: TunnelError }
  | { readonly type: 'closed'; readonly host: string; readonly error?: TunnelError };
