import { type Dialer, formatEndpoint } from '../endpoint.ts';
import type { DynamicSpec, LocalSpec } from '../spec.ts';
import { Carrier, type CarrierOptions } from './carrier.ts';
import { carriedBy, type Forward, type ForwardHooks } from './forward.ts';
import { toAcceptError } from './listen-error.ts';
import { openListener } from './listener.ts';
import type { Acceptor } from './server.ts';
import { acceptSocks } from './socks/accept.ts';

export interface LocalForwardOptions extends ForwardHooks {
  readonly spec: LocalSpec | DynamicSpec;
  /** Resolves names where it dials. */
  readonly dial: Dialer;
  /** Names the other side; with the spec it decides which port `auto` is. */
  readonly remoteName: string;
  /** Of a socket here; 0600 unless told otherwise. */
  readonly socketMode?: number;
  /** Within which a SOCKS client must have sent its whole request; 30 s unless told otherwise. */
  readonly requestTimeoutMs?: number;
}

/**
 * Listens here: `-L`, whose connections all go to one endpoint, or `-D`, where each client of the SOCKS proxy says where
 * to. Throws a `ListenError` (`port-in-use` names its holder).
 */
export async function openLocalForward(options: LocalForwardOptions): Promise<Forward> {
  const { spec, remoteName, socketMode, onConnection, onError } = options;
  const carrier = new Carrier({ ...wayThere(options), onConnection, onError });
  const acceptor: Acceptor = {
    accept: (socket) => carrier.accept(socket),
    onAcceptError: (error) => onError?.(toAcceptError(error, spec)),
  };
  const listener = await openListener(spec, remoteName, acceptor, socketMode);
  return carriedBy(carrier, spec, listener.bound, () => listener.close());
}

function wayThere({
  spec,
  dial,
  requestTimeoutMs,
}: LocalForwardOptions): Pick<CarrierOptions, 'route' | 'open'> {
  return spec.kind === 'dynamic'
    ? {
        route: 'through the SOCKS proxy',
        open: (client, signal) => acceptSocks(client, dial, { requestTimeoutMs, signal }),
      }
    : {
        route: `to ${formatEndpoint(spec.connect)}`,
        open: (_, signal) => dial(spec.connect, signal),
      };
}
