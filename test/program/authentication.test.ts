import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startEmbeddedSshd } from '../rig/embedded-sshd.ts';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { freePort } from '../rig/servers.ts';
import { makeKey, type KeyPair, type KeyType } from '../rig/ssh-keys.ts';
import { writeSshClient } from '../rig/ssh-client.ts';
import type { Sshd } from '../rig/sshd.ts';

const PASSPHRASE = 'correct horse battery staple';

async function start(t: TestContext): Promise<{ rig: Rig; sshd: Sshd } | undefined> {
  if (!needs(t, 'sshd', 'pty')) return undefined;
  const rig = await startRig(t);
  return { rig, sshd: await rig.sshd() };
}

async function lockedKey(rig: Rig, sshd: Sshd, type: KeyType = 'ed25519'): Promise<KeyPair> {
  const key = await makeKey(join(rig.folder('keys'), 'locked'), type, PASSPHRASE);
  sshd.authorize(key.publicKey);
  return key;
}

for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
  test(`the passphrase of an ${type} key is asked for in the terminal, and not shown`, async (t) => {
    const started = await start(t);
    if (started === undefined) return;
    const { rig, sshd } = started;
    const identity = await lockedKey(rig, sshd, type);
    const client = sshd.writeClient({ name: 'locked', identity });
    const port = await freePort();
    const terminal = await rig.terminal([...client.flags, 'locked', String(port)]);
    await terminal.waitFor(/passphrase for key/i);
    terminal.write('wrong\r');
    await terminal.waitFor(/passphrase for key[\s\S]*passphrase for key/i);
    terminal.write(`${PASSPHRASE}\r`);
    await terminal.waitFor(new RegExp(`localhost:${port}`));
    assert.ok(!terminal.raw.includes(PASSPHRASE));
    terminal.write('\x03');
    await terminal.exit;
  });
}

test('a locked key without a terminal is not waited for', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const client = sshd.writeClient({ name: 'locked', identity: await lockedKey(rig, sshd) });
  const tunnel = await rig.tunnel([...client.flags, 'locked', String(await freePort())]);
  assert.equal((await tunnel.exit).status, 255);
  assert.match(tunnel.stderr, /passphrase/);
});

test('a key that the agent holds is used, and needs no file', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const socket = join(rig.folder('agent'), 'agent.sock');
  await rig.own(startAgent(rig, socket));
  await rig.run(['ssh-add', sshd.identity.file], { env: { ...rig.env, SSH_AUTH_SOCK: socket } });
  const client = sshd.writeClient({
    name: 'agent',
    identity: { ...sshd.identity, file: '/nonexistent' },
    config: [`IdentityAgent ${socket}`, 'IdentitiesOnly no'],
  });
  const port = await freePort();
  const tunnel = await rig.tunnel([...client.flags, 'agent', String(port)]);
  await tunnel.waitFor(new RegExp(`localhost:${port}`));
});

test('a refused key ends with 255, what was tried and what the server accepts', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const identity = await makeKey(join(rig.folder('keys'), 'stranger'));
  const client = sshd.writeClient({ name: 'stranger', identity });
  const tunnel = await rig.tunnel([...client.flags, '-v', 'stranger', String(await freePort())]);
  assert.equal((await tunnel.exit).status, 255);
  assert.match(tunnel.stderr, /Permission denied/);
  assert.ok(tunnel.stderr.includes(identity.file));
  assert.match(tunnel.stderr, /publickey/);
});

test('a wrong password is asked for again, as often as ssh does, and never shown', async (t) => {
  if (!needs(t, 'pty')) return;
  const rig = await startRig(t);
  const sshd = await rig.own(startEmbeddedSshd({ password: 'right', home: rig.folder('home') }));
  const identity = await makeKey(join(rig.folder('keys'), 'unused'));
  const client = writeSshClient(rig.folder('client'), {
    hostname: sshd.host,
    port: sshd.port,
    user: 'deploy',
    identity,
    hostKeys: [{ ...identity, publicKey: sshd.hostKey }],
  });
  const port = await freePort();
  const good = await rig.terminal([...client.flags, 'vps', String(port)]);
  await good.waitFor(/deploy@vps's password/);
  good.write('wrong-secret\r');
  await good.waitFor(/password:[\s\S]*password:/);
  good.write('right\r');
  await good.waitFor(new RegExp(`localhost:${port}`));
  good.write('\x03');
  await good.exit;
  assert.doesNotMatch(good.raw, /wrong-secret/);

  const bad = await rig.terminal([...client.flags, '-vvv', 'vps', String(port)]);
  for (let i = 1; i <= 3; i += 1) {
    await bad.waitFor(new RegExp(`(password:[\\s\\S]*){${i}}$`));
    bad.write(`wrong-secret-${i}\r`);
  }
  assert.equal((await bad.exit).status, 255);
  assert.match(bad.raw, /Permission denied/);
  assert.doesNotMatch(bad.raw, /wrong-secret/);
});

/** ssh-agent in the foreground. */
async function startAgent(rig: Rig, socket: string): Promise<{ stop(): Promise<void> }> {
  const { startServer } = await import('../rig/processes.ts');
  return await startServer({
    command: ['ssh-agent', '-D', '-a', socket],
    cwd: rig.dir,
    env: rig.env,
    // The socket is there before it is listened on.
    ready: (output) => output.includes('SSH_AUTH_SOCK='),
    stopSignal: 'SIGTERM',
  });
}
