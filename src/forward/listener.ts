import { formatEndpoint } from '../endpoint.ts';
import { ListenError, systemCode } from '../errors.ts';
import type { DynamicSpec, HttpPlace, LocalSpec, TcpListen } from '../spec.ts';
import { autoPorts } from './auto-port.ts';
import { toListenError } from './listen-error.ts';
import type { Acceptor, Listener } from './server.ts';
import { listenTcp } from './tcp-listener.ts';
import { listenUnix } from './unix-listener.ts';

/** Listens where the spec says; `remoteName` is part of what chooses an `auto` port. Throws a `ListenError`. */
export async function openListener(
  spec: LocalSpec | DynamicSpec | HttpPlace,
  remoteName: string,
  acceptor: Acceptor,
  socketMode = 0o600,
): Promise<Listener> {
  const { listen } = spec;
  try {
    if (listen.kind === 'unix') return await listenUnix(listen.path, socketMode, acceptor);
    if (listen.port === 'auto') return await listenOnFreePort(spec, listen, remoteName, acceptor);
    return await listenTcp(listen.host, listen.port, acceptor);
  } catch (error) {
    throw await toListenError(error, spec);
  }
}

async function listenOnFreePort(
  spec: LocalSpec | DynamicSpec | HttpPlace,
  listen: TcpListen,
  remoteName: string,
  acceptor: Acceptor,
): Promise<Listener> {
  const target = { dynamic: 'socks', http: 'http' };
  for (const port of autoPorts(
    remoteName,
    spec.kind === 'local' ? formatEndpoint(spec.connect) : target[spec.kind],
  )) {
    try {
      return await listenTcp(listen.host, port, acceptor);
    } catch (error) {
      if (systemCode(error) !== 'EADDRINUSE') throw error;
    }
  }
  throw new ListenError('no-free-port', 'Cannot listen: every port that auto tries is in use');
}
