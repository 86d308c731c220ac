import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import ssh2, { type AuthContext, type Connection } from 'ssh2';
import { generateKeys } from '../../rig/generate-keys.ts';
import type { Rig, Stoppable } from '../../rig/rig.ts';
import { writeSshClient, type SshClient } from '../../rig/ssh-client.ts';
import { makeKey } from '../../rig/ssh-keys.ts';

export interface Ssh2Server extends Stoppable {
  readonly port: number;
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: string;
}

/** An SSH server of ssh2's in this process, for what no real one can be made to do. */
export async function startSsh2Server(
  onConnection: (connection: Connection) => void,
  algorithms: ssh2.ServerConfig['algorithms'] = {},
): Promise<Ssh2Server> {
  const keys = generateKeys();
  const server = new ssh2.Server({ hostKeys: [keys.private], algorithms }, (connection) => {
    connection.on('error', () => undefined);
    onConnection(connection);
  });
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    server.injectSocket(socket);
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    hostKey: keys.public.trim(),
    async stop() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

/** The settings of somebody who knows the server's host key; what listens at `port` need not be ssh2's. */
export async function clientOf(
  rig: Rig,
  server: Pick<Ssh2Server, 'port' | 'hostKey'>,
  config: readonly string[] = [],
): Promise<SshClient> {
  const identity = await makeKey(join(rig.folder('keys'), 'unused'));
  return writeSshClient(rig.folder('client'), {
    hostname: '127.0.0.1',
    port: server.port,
    user: 'deploy',
    identity,
    hostKeys: [{ ...identity, publicKey: server.hostKey }],
    config,
  });
}

/** Prompts of one round, and what must be answered. */
export interface Round {
  readonly instructions?: string;
  readonly prompts: readonly { readonly prompt: string; readonly echo: boolean; readonly answer: string }[];
}

/** Takes these rounds of keyboard-interactive one after the other, and refuses at the first wrong answer. */
export function askRounds(context: AuthContext, rounds: readonly Round[]): void {
  if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
  const next = (left: readonly Round[]): void => {
    const [round, ...rest] = left;
    if (round === undefined) return context.accept();
    const prompts = round.prompts.map(({ prompt, echo }) => ({ prompt, echo }));
    context.prompt(prompts, '', round.instructions ?? '', (given) => {
      if (round.prompts.every(({ answer }, i) => given[i] === answer)) next(rest);
      else context.reject(['keyboard-interactive']);
    });
  };
  next(rounds);
}
