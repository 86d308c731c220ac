import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pipeline } from 'node:stream/promises';
import { startEmbeddedSshd, type EmbeddedSshd, type EmbeddedSshdOptions } from './embedded-sshd.ts';
import { randomBlocks, randomSha256 } from './random.ts';
import { needs } from './requirements.ts';
import { startRig, type Rig } from './rig.ts';
import { closesFirst, digest, freePort, readToEnd, resets, source, type Behaviour } from './servers.ts';
import { writeSshClient, type SshClient } from './ssh-client.ts';
import { makeKey } from './ssh-keys.ts';

interface Setup {
  readonly rig: Rig;
  readonly sshd: EmbeddedSshd;
  readonly client: SshClient;
}

async function setUp(t: TestContext, options: Partial<EmbeddedSshdOptions> = {}): Promise<Setup> {
  const rig = await startRig(t);
  const identity = await makeKey(join(rig.dir, 'id'));
  const home = rig.folder('home');
  const sshd = await rig.own(startEmbeddedSshd({ publicKey: identity.publicKey, home, ...options }));
  const hostKeys = [{ file: '', publicKey: sshd.hostKey, fingerprint: sshd.fingerprint }];
  const client = writeSshClient(rig.dir, {
    hostname: sshd.host,
    port: sshd.port,
    user: 'anybody',
    identity,
    hostKeys,
  });
  return { rig, sshd, client };
}

/** Connects to a server through the real client's `ssh -L`. */
async function through(
  t: TestContext,
  { rig, client }: Setup,
  behaviour: Behaviour,
  unix = false,
): Promise<Socket> {
  const path = join(rig.folder('srv'), 'app.sock');
  const server = await rig.serve(behaviour, unix ? { path } : {});
  const port = await freePort();
  const forward = `127.0.0.1:${port}:${unix ? path : `127.0.0.1:${server.port}`}`;
  await rig.start(
    ['ssh', ...client.flags, '-v', '-N', '-o', 'ExitOnForwardFailure=yes', '-L', forward, 'vps'],
    {
      ready: (output) => output.includes('Entering interactive session'),
    },
  );
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

for (const unix of [false, true]) {
  const where = unix ? 'a Unix socket' : 'a port';

  test(`what is sent through the embedded sshd to ${where} is whole, and its end is answered`, async (t) => {
    if (!needs(t, 'ssh')) return;
    const socket = await through(t, await setUp(t), digest, unix);
    const length = 20_000_003;
    const [answer] = await Promise.all([readToEnd(socket), pipeline(randomBlocks('up', length), socket)]);
    assert.equal(answer, `${length} ${randomSha256('up', length)}\n`);
  });

  test(`what comes through the embedded sshd from ${where} is whole up to its end`, async (t) => {
    if (!needs(t, 'ssh')) return;
    const length = 20_000_003;
    const socket = await through(t, await setUp(t), source('down', length), unix);
    const hash = createHash('sha256');
    for await (const data of socket) hash.update(data as Buffer);
    assert.equal(hash.digest('hex'), randomSha256('down', length));
  });
}

test('a server behind the embedded sshd that closes first still gets what the client sends', async (t) => {
  if (!needs(t, 'ssh')) return;
  let got: Promise<string> | undefined;
  const socket = await through(t, await setUp(t), (server) => {
    server.end('bye');
    got = readToEnd(server);
  });
  assert.equal(await readToEnd(socket), 'bye');
  socket.end('and thanks');
  assert.equal(await got, 'and thanks');
});

test('a reset behind the embedded sshd ends that connection', async (t) => {
  if (!needs(t, 'ssh')) return;
  const socket = await through(t, await setUp(t), resets);
  socket.write('x');
  assert.equal(await readToEnd(socket), '');
});

test('the embedded sshd runs a command in its home, with its input, output and status', async (t) => {
  if (!needs(t, 'ssh')) return;
  const { rig, client } = await setUp(t);
  const command = 'cat; echo "$HOME"; echo oops >&2; exit 7';
  const result = await rig.run(['ssh', ...client.flags, 'vps', command], { input: 'in\n' });
  assert.equal(result.status, 7);
  assert.match(result.stdout, /^in\n.*\/home\d+\n$/);
  assert.match(result.stderr, /oops/);
});

test('the embedded sshd lets no other key in', async (t) => {
  if (!needs(t, 'ssh')) return;
  const { rig, client } = await setUp(t);
  const other = await makeKey(join(rig.dir, 'other'));
  const flags = ['-o', 'BatchMode=yes', '-F', 'none', '-o', `UserKnownHostsFile=${client.knownHostsFile}`];
  const login = ['ssh', ...flags, '-p', `${client.port}`, '-i', other.file, client.hostname, 'true'];
  const { status, stderr } = await rig.run(login);
  assert.equal(status, 255);
  assert.match(stderr, /Permission denied \(publickey\)/);
});

test('a fault refuses one connection, and the session goes on', async (t) => {
  if (!needs(t, 'ssh')) return;
  let faults = 1;
  const setup = await setUp(t, { onOpen: () => (faults-- > 0 ? 'refuse' : undefined) });
  const socket = await through(t, setup, closesFirst('hello'));
  assert.equal(await readToEnd(socket), '');
  assert.equal(setup.sshd.open, 1);
});
