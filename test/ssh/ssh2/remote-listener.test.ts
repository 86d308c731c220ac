import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import type { Connection } from 'ssh2';
import type { SshConnection } from '../../../src/ssh/connection.ts';
import { startRig } from '../../rig/rig.ts';
import { login } from './ssh2.ts';
import { clientOf, startSsh2Server } from './ssh2-server.ts';

const PORT = 4711;

/** Logs in to a server that listens for anybody and lets `onCancel` answer when it is to stop. */
async function start(
  t: TestContext,
  onListening: (server: Connection, address: string) => void,
  onCancel: (accept: (() => void) | undefined, server: Connection) => void,
): Promise<SshConnection> {
  const rig = await startRig(t);
  const server = await rig.own(
    startSsh2Server((connection) => {
      connection.on('authentication', (context) => context.accept());
      connection.on('request', (accept, _reject, name, { bindAddr }) => {
        if (name !== 'tcpip-forward') return onCancel(accept, connection);
        // So that what both send arrives together.
        const { _sock: socket } = connection as unknown as { _sock: Socket };
        socket.cork();
        accept?.(PORT);
        onListening(connection, bindAddr);
        socket.uncork();
      });
    }),
  );
  return await login(rig, await clientOf(rig, server));
}

test('a connection that comes in one packet with the word that the server listens is taken', async (t) => {
  const connection = await start(
    t,
    (server, address) =>
      server.forwardOut(address, PORT, '127.0.0.1', 1, (error, channel) => {
        if (error === undefined) channel.end('hello');
        else server.end();
      }),
    (accept) => accept?.(),
  );
  const taken = new EventEmitter<{ stream: [Duplex] }>();
  const first = once(taken, 'stream');
  const listener = await connection.listen({ kind: 'tcp', port: 'auto' }, (stream) =>
    taken.emit('stream', stream),
  );
  const [stream] = (await first) as [Duplex];
  assert.equal(await text(stream), 'hello');
  stream.destroy();
  await listener.close();
});

test('a server that does not answer when it is to stop listening is not waited for', async (t) => {
  let asked = 0;
  const connection = await start(
    t,
    () => undefined,
    () => (asked += 1),
  );
  const listener = await connection.listen({ kind: 'tcp', port: 'auto' }, () => undefined);
  await listener.close();
  assert.equal(asked, 1);
});

test('a listener has stopped when the connection closes meanwhile', async (t) => {
  const connection = await start(
    t,
    () => undefined,
    (_accept, server) => server.end(),
  );
  const listener = await connection.listen({ kind: 'tcp', port: 'auto' }, () => undefined);
  await listener.close();
  await connection.closed;
});
