export { parseDestination } from './config/destination.ts';
export type { Destination, SshFlags } from './config/settings.ts';
export { formatEndpoint, type Endpoint, type TcpEndpoint, type UnixEndpoint } from './endpoint.ts';
export {
  ConnectError,
  ConnectionLostError,
  DialError,
  ListenError,
  TunnelError,
  UsageError,
} from './errors.ts';
export type { Forward } from './forward/forward.ts';
export type { SessionEvent } from './session/events.ts';
export { openSession, type Session, type SessionOptions, type Traffic } from './session/session.ts';
export { parseDynamicSpec, parseRemoteSpec, parseSpec } from './parse-spec.ts';
export {
  formatSpec,
  type DynamicSpec,
  type ForwardSpec,
  type Listen,
  type LocalSpec,
  type RemoteSpec,
} from './spec.ts';
export type { Ask, Question } from './ssh/context.ts';
