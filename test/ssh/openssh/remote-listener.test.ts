import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { ConnectionLostError, ListenError } from '../../../src/errors.ts';
import { needs } from '../../rig/requirements.ts';
import { freePort, silent } from '../../rig/servers.ts';
import { until } from '../../rig/until.ts';
import { connectIn, masterProcess, startOpensshRig } from './openssh.ts';

const echo = (stream: Duplex): void => void stream.pipe(stream);

test('a port that the server chooses is told, and its connections arrive', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const connection = await connectIn(rig, (await rig.sshd()).client);

  const listener = await connection.listen({ kind: 'tcp', port: 'auto' }, echo);

  assert.ok(listener.bound.kind === 'tcp' && typeof listener.bound.port === 'number');
  assert.equal(await text(dial({ port: listener.bound.port }).end('hello')), 'hello');
});

test('a port and a Unix socket are listened on until each is closed, and open streams go on', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd();
  const connection = await connectIn(rig, sshd.client);
  const port = await freePort();
  const tcp = await connection.listen({ kind: 'tcp', host: '127.0.0.1', port }, echo);
  const unix = await connection.listen({ kind: 'unix', path: '~/there.sock' }, echo);
  assert.deepEqual(tcp.bound, { kind: 'tcp', host: '127.0.0.1', port });
  assert.deepEqual(unix.bound, { kind: 'unix', path: join(sshd.home, 'there.sock') });

  const [first, second] = [dial({ port }), dial({ path: join(sshd.home, 'there.sock') })];
  assert.equal(await exchange(first, 'a'), 'a');
  assert.equal(await exchange(second, 'b'), 'b');
  await Promise.all([tcp.close(), unix.close()]);
  // ssh does not ask for an answer when it cancels (channels.c, channel_request_rforward_cancel_tcpip).
  await until('the port is closed', () => isRefused({ port }));
  await until('the socket is closed', () => isRefused({ path: join(sshd.home, 'there.sock') }));

  assert.equal(await text(first.end('still')), 'still');
  assert.equal(await text(second.end('here')), 'here');
});

test('a half-close passes in both directions', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const connection = await connectIn(rig, (await rig.sshd()).client);
  const port = await freePort();
  await connection.listen({ kind: 'tcp', port }, (stream) => {
    void text(stream).then((asked) => stream.end(`you said ${asked}`));
  });
  assert.equal(await text(dial({ port }).end('this')), '');

  const answering = await freePort();
  await connection.listen({ kind: 'tcp', port: answering }, (stream) => {
    let asked = '';
    stream.on('data', (chunk) => (asked += String(chunk)));
    stream.once('end', () => stream.end(`you said ${asked}`));
  });
  assert.equal(await text(dial({ port: answering }).end('that')), 'you said that');
});

test('a port that is in use there is refused', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const connection = await connectIn(rig, (await rig.sshd()).client);
  const { port } = await rig.serve(silent);

  await assert.rejects(
    connection.listen({ kind: 'tcp', host: '127.0.0.1', port }, echo),
    (error: ListenError) => {
      assert.ok(error instanceof ListenError);
      assert.equal(error.code, 'remote-listen-refused');
      return true;
    },
  );
  assert.equal((await connection.exec('echo on')).stdout, 'on\n');
});

test('when the connection is lost, what the server accepted for us fails', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const connection = await connectIn(rig, (await rig.sshd()).client);
  const port = await freePort();
  const accepted = new Promise<Duplex>((resolve) => {
    void connection
      .listen({ kind: 'tcp', port }, resolve)
      .then(() => dial({ port }).on('error', () => undefined));
  });
  const stream = await accepted;
  const broken = once(stream.resume(), 'error');

  const master = await masterProcess(rig);
  process.kill(master, 'SIGKILL');

  assert.ok((await broken)[0] instanceof ConnectionLostError);
  assert.equal(stream.readableEnded, false);
});

function dial(place: { port: number } | { path: string }): Socket {
  return connect({ host: '127.0.0.1', allowHalfOpen: true, ...place });
}

async function isRefused(place: { port: number } | { path: string }): Promise<boolean> {
  const socket = dial(place);
  try {
    await once(socket, 'connect');
    return false;
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ECONNREFUSED');
    return true;
  } finally {
    socket.destroy();
  }
}

async function exchange(socket: Socket, message: string): Promise<string> {
  socket.write(message);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return String(answer);
}
