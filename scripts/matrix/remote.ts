import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, ListenOptions } from 'node:net';
import { join } from 'node:path';
import type { Rig } from '../../test/rig/rig.ts';
import type { Sshd } from '../../test/rig/sshd.ts';

/** A host with OpenSSH's server, and an app on a port and on a socket that sends back what it gets. */
export interface Remote {
  readonly sshd: Sshd;
  readonly port: number;
  readonly socket: string;
}

export async function startRemote(rig: Rig): Promise<Remote> {
  const socket = join(rig.folder('app'), 'app.sock');
  const [sshd, app] = await Promise.all([
    rig.sshd(),
    serve(rig, { host: '127.0.0.1', port: 0 }),
    serve(rig, { path: socket }),
  ]);
  chmodSync(socket, 0o666);
  return { sshd, port: (app.address() as AddressInfo).port, socket };
}

async function serve(rig: Rig, listen: ListenOptions): Promise<Server> {
  const server = createServer((request, response) => request.pipe(response));
  server.listen(listen);
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
  };
  await rig.own(Promise.resolve({ stop }));
  return server;
}
