import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { ListenError } from '../../errors.ts';
import type { Endpoint } from '../../endpoint.ts';
import type { Listen } from '../../spec.ts';
import type { RemoteListener } from '../connection.ts';
import type { MuxClient, MuxForward } from './mux-client.ts';

export interface RemoteListenOptions {
  readonly mux: MuxClient;
  readonly alias: string;
  /** A Unix path is absolute. */
  readonly listen: Listen;
  /** Where ssh hands us what the server accepted: a path that is free, in a directory that only we can enter. */
  readonly socketPath: string;
  readonly onSocket: (socket: Socket) => void;
}

/** Asks the server to listen, and receives its connections on a private socket. Throws a `ListenError`. */
export async function listenRemotely(options: RemoteListenOptions): Promise<RemoteListener> {
  const { mux, alias, listen, socketPath } = options;
  const server = createServer({ allowHalfOpen: true }, options.onSocket);
  server.listen(socketPath);
  await once(server, 'listening');
  // It fails to accept when there is no file descriptor left, and goes on.
  server.on('error', () => undefined);
  const forward: MuxForward = {
    direction: 'remote',
    listen: toEndpoint(listen),
    connect: { kind: 'unix', path: socketPath },
  };
  let chosen: number | undefined;
  try {
    chosen = await mux.openForward(forward);
  } catch (cause) {
    server.close();
    throw refused(alias, listen, cause);
  }
  return {
    bound: listen.kind === 'unix' || chosen === undefined ? listen : { ...listen, port: chosen },
    async close() {
      server.close();
      await mux.closeForward(forward);
    },
  };
}

/** Without a host ssh asks for "localhost", which is both loopback addresses (channels.c, channel_rfwd_bind_host). */
function toEndpoint(listen: Listen): Endpoint {
  if (listen.kind === 'unix') return listen;
  return { kind: 'tcp', host: listen.host ?? '', port: listen.port === 'auto' ? 0 : listen.port };
}

function refused(alias: string, listen: Listen, cause: unknown): ListenError {
  const place = listen.kind === 'unix' ? listen.path : `port ${listen.port}`;
  return new ListenError('remote-listen-refused', `${alias} does not listen on ${place} for us`, {
    cause,
    hint: [
      'It may be in use there, below 1024, or not allowed: see AllowTcpForwarding, AllowStreamLocalForwarding,',
      'PermitListen and GatewayPorts in its sshd_config.',
    ],
  });
}
