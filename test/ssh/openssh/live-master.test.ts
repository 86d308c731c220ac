import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { resolveSettings } from '../../../src/config/ssh-config.ts';
import { ConnectionLostError } from '../../../src/errors.ts';
import { chooseTransport } from '../../../src/ssh/choose-transport.ts';
import type { SshConnection } from '../../../src/ssh/connection.ts';
import { ChannelOpenError } from '../../../src/ssh/channel-open-error.ts';
import { startServer } from '../../rig/processes.ts';
import { needs } from '../../rig/requirements.ts';
import type { Rig } from '../../rig/rig.ts';
import { closesFirst, digest, echo, freePort } from '../../rig/servers.ts';
import type { Sshd } from '../../rig/sshd.ts';
import { connectAs, privateDirs, rejection, startOpensshRig } from './openssh.ts';

interface Shared {
  readonly rig: Rig;
  readonly sshd: Sshd;
  readonly connection: SshConnection;
  /** Asks the person's master something, as `ssh -O` does. */
  readonly control: (command: string) => Promise<number | undefined>;
  readonly masterPid: number;
}

test("the person's own master is used, over its TCP connection, and left running", async (t) => {
  if (!needs(t, 'sshd')) return;
  const { rig, sshd, connection, control } = await share(t);
  const server = await rig.serve(echo);

  const stream = await connection.dial({ kind: 'tcp', host: '127.0.0.1', port: server.port });
  assert.equal(await text(stream.end('hello')), 'hello');
  assert.equal((await connection.exec('echo on')).stdout, 'on\n');
  await connection.close();

  assert.equal(await connection.closed, undefined);
  assert.equal(sshd.relay?.total, 1);
  assert.equal(await control('check'), 0);
  assert.deepEqual(privateDirs(rig), []);
});

test("what was opened in the person's own master is taken back when the connection is closed", async (t) => {
  if (!needs(t, 'sshd')) return;
  const { sshd, connection } = await share(t);
  const port = await freePort();
  await connection.listen({ kind: 'tcp', host: '127.0.0.1', port }, (stream) => stream.destroy());
  const broken = fate(await connection.dial({ kind: 'tcp', host: '127.0.0.1', port: sshd.port }));

  await connection.close();

  const outcome = await broken;
  assert.ok(outcome instanceof ConnectionLostError, String(outcome));

  await assert.rejects(once(connect(port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
});

test('without a master of ours a refused open makes the stream fail, before or after something was written', async (t) => {
  if (!needs(t, 'sshd')) return;
  const { sshd, connection } = await share(t);
  const port = await freePort();

  for (const endpoint of [
    { kind: 'tcp', host: '127.0.0.1', port },
    { kind: 'unix', path: join(sshd.home, 'none.sock') },
  ] as const) {
    for (const request of [undefined, 'GET / HTTP/1.1\r\n\r\n']) {
      const stream = await connection.dial(endpoint);
      if (request !== undefined) stream.write(request);
      const outcome = await fate(stream);
      assert.ok(outcome instanceof ChannelOpenError, String(outcome));
      assert.deepEqual(outcome.endpoint, endpoint);
    }
  }
});

test('a server that ends without having said anything ends the stream, which is no refusal', async (t) => {
  if (!needs(t, 'sshd')) return;
  const { rig, connection } = await share(t);
  const [speechless, sink] = [await rig.serve(closesFirst('')), await rig.serve(digest)];

  const empty = await connection.dial({ kind: 'tcp', host: '127.0.0.1', port: speechless.port });
  assert.equal(await fate(empty), 'ended');
  empty.end();
  const answered = await connection.dial({ kind: 'tcp', host: '127.0.0.1', port: sink.port });
  assert.match(await text(answered.end('hello')), /^5 /);
});

test('when the person ends the master, the connection is lost and its streams fail', async (t) => {
  if (!needs(t, 'sshd')) return;
  const { rig, connection, control } = await share(t);
  const server = await rig.serve(echo);
  const stream = await connection.dial({ kind: 'tcp', host: '127.0.0.1', port: server.port });
  stream.write('x');
  await once(stream, 'data');
  const outcome = fate(stream);

  assert.equal(await control('exit'), 0);

  assert.ok((await outcome) instanceof ConnectionLostError);
  assert.ok((await connection.closed) instanceof ConnectionLostError);
});

test('a master that no longer listens goes on to carry streams to their end', async (t) => {
  if (!needs(t, 'sshd')) return;
  const { rig, connection, control } = await share(t);
  const server = await rig.serve(closesFirst('here'));

  assert.equal(await control('stop'), 0);

  const stream = await connection.dial({ kind: 'tcp', host: '127.0.0.1', port: server.port });
  assert.equal(await text(stream), 'here');
});

test('a ControlPath on which nobody answers is no master', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd();
  const client = sshd.writeClient({ config: [`ControlPath ${join(rig.dir, 'nobody')}`] });
  const connection = await connectAs(client);
  t.after(() => connection.close());

  assert.equal((await connection.exec('echo on')).stdout, 'on\n');
});

test('a ControlPath on which somebody listens who says nothing is no master', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd();
  const client = sshd.writeClient({ config: [`ControlPath ${await listenMute(t, rig)}`] });
  const connection = await connectAs(client);
  t.after(() => connection.close());

  assert.equal((await connection.exec('echo on')).stdout, 'on\n');
});

test('an abort ends the wait for what listens on the ControlPath', async (t) => {
  if (!needs(t, 'ssh')) return;
  const rig = await startOpensshRig(t);
  const reason = new Error('enough');
  const abort = new AbortController();
  const controlPath = await listenMute(t, rig, () => abort.abort(reason));
  const configFile = join(rig.dir, 'mute.config');
  writeFileSync(configFile, `Host h\n  ControlPath ${controlPath}\n`);
  const settings = await resolveSettings({ host: 'h' }, { configFile });
  const context = { warn: () => undefined, debug: () => undefined, signal: abort.signal };

  assert.equal(await rejection(chooseTransport(settings, 'auto', context)), reason);
});

test('a master that does not answer any more does not keep the connection from closing', async (t) => {
  if (!needs(t, 'sshd')) return;
  const { rig, connection, masterPid } = await share(t);
  const server = await rig.serve(echo);
  const stream = await connection.dial({ kind: 'tcp', host: '127.0.0.1', port: server.port });
  await connection.listen({ kind: 'tcp', host: '127.0.0.1', port: await freePort() }, () => undefined);
  stream.on('error', () => undefined);

  process.kill(masterPid, 'SIGSTOP');
  await connection.close();

  assert.deepEqual(privateDirs(rig), []);
});

test('a master whose path has spaces and quotes runs commands', async (t) => {
  if (!needs(t, 'sshd')) return;
  const { connection } = await share(t, "it's a #1 master");

  assert.equal((await connection.exec('echo on')).stdout, 'on\n');
});

/** Accepts connections and says nothing. */
async function listenMute(t: TestContext, rig: Rig, onConnection?: () => void): Promise<string> {
  const path = join(rig.dir, 'mute');
  const server = createServer((socket) => {
    socket.on('error', () => undefined).resume();
    onConnection?.();
  });
  server.listen(path);
  await once(server, 'listening');
  t.after(() => server.close());
  return path;
}

/** Connects through a master that a person has started. */
async function share(t: TestContext, name = 'master'): Promise<Shared> {
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd({ relay: true });
  const client = sshd.writeClient({ config: [`ControlPath "${join(rig.dir, name)}"`] });
  const control = async (command: string): Promise<number | undefined> =>
    (await rig.run(['ssh', ...client.flags, '-O', command, client.name])).status;
  const master = await rig.own(
    startServer({
      command: ['ssh', ...client.flags, '-M', '-N', client.name],
      cwd: rig.dir,
      env: rig.env,
      ready: async () => (await control('check')) === 0,
      stopSignal: 'SIGKILL',
    }),
  );
  const connection = await connectAs(client);
  await rig.own(Promise.resolve({ stop: () => connection.close() }));
  return { rig, sshd, connection, control, masterPid: master.pid };
}

/** What becomes of a stream that is read to its end. */
async function fate(stream: Duplex): Promise<unknown> {
  return await once(stream.resume(), 'end').then(
    () => 'ended',
    (error: unknown) => error,
  );
}
