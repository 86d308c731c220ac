import type { Duplex } from 'node:stream';
import { type Dialer, formatEndpoint } from '../endpoint.ts';
import type { Listen, RemoteSpec } from '../spec.ts';
import { Carrier, type CarrierOptions } from './carrier.ts';
import { carriedBy, type Forward, type ForwardHooks } from './forward.ts';
import { dialLocal } from './local-dialer.ts';
import { acceptSocks } from './socks/accept.ts';

/**
 * Has the far end listen. Each connection accepted there is handed on as a stream that keeps half-closes and belongs
 * to the receiver. Rejects with a `ListenError`.
 */
export type ListenThere = (
  listen: Listen,
  onConnection: (stream: Duplex) => void,
) => Promise<{
  /** What is listened on, with the port that the far end chose. */
  readonly bound: Listen;
  /** Stops the listening; open streams go on. */
  close(): Promise<void>;
}>;

export interface RemoteForwardOptions extends ForwardHooks {
  readonly spec: RemoteSpec;
  readonly listenThere: ListenThere;
  /** `dialLocal` unless told otherwise. */
  readonly dialHere?: Dialer;
  /** Within which a SOCKS client must have sent its whole request; 30 s unless told otherwise. */
  readonly requestTimeoutMs?: number;
}

/** Has the far end listen, and carries its connections to an endpoint here, as `ssh -R` does. Throws a `ListenError`. */
export async function openRemoteForward(options: RemoteForwardOptions): Promise<Forward> {
  const { spec, onConnection, onError } = options;
  const carrier = new Carrier({ ...wayHere(options), onConnection, onError });
  const listener = await options.listenThere(spec.listen, (stream) => carrier.accept(stream));
  return carriedBy(carrier, spec, [listener.bound], () => listener.close());
}

function wayHere(options: RemoteForwardOptions): Pick<CarrierOptions, 'route' | 'open'> {
  const { spec, dialHere = dialLocal, requestTimeoutMs } = options;
  const { connect } = spec;
  return connect === 'socks'
    ? {
        route: 'through the remote SOCKS proxy',
        open: (client, signal) => acceptSocks(client, dialHere, { requestTimeoutMs, signal }),
      }
    : {
        route: `to ${formatEndpoint(connect)} on this machine`,
        open: (_, signal) => dialHere(connect, signal),
      };
}
