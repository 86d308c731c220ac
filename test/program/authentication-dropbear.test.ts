import assert from 'node:assert/strict';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { echo, freePort } from '../rig/servers.ts';
import { writeSshClient, type SshClient } from '../rig/ssh-client.ts';
import { makeKey } from '../rig/ssh-keys.ts';

const PASSWORD = 'a-Password-of-the-rig-8';

interface Started {
  readonly rig: Rig;
  /** `key` logs in with its identity; `password` has none that is let in. */
  readonly key: SshClient;
  readonly password: SshClient;
}

/** The SSH server of small devices, with a real user. */
async function startDropbear(t: TestContext): Promise<Started | undefined> {
  if (!needs(t, 'ssh', 'dropbear', 'root')) return undefined;
  const rig = await startRig(t);
  const user = await rig.user();
  await rig.run(['chpasswd'], { input: `${user.name}:${PASSWORD}\n` });
  const dir = rig.folder('dropbear');
  const [identity, stranger] = [await makeKey(join(dir, 'id')), await makeKey(join(dir, 'stranger'))];
  const authorized = join(user.home, '.ssh');
  mkdirSync(authorized, { mode: 0o700 });
  writeFileSync(join(authorized, 'authorized_keys'), `${identity.publicKey}\n`, { mode: 0o600 });
  for (const path of [authorized, join(authorized, 'authorized_keys')]) chownSync(path, user.uid, user.gid);

  const hostKey = join(dir, 'host');
  const made = await rig.run(['dropbearkey', '-t', 'ed25519', '-f', hostKey]);
  const publicKey = /^ssh-ed25519 \S+/m.exec(made.stdout)?.[0] ?? '';
  const port = await freePort();
  await rig.start(
    ['dropbear', '-F', '-E', '-r', hostKey, '-p', `127.0.0.1:${port}`, '-P', join(dir, 'pid')],
    {
      ready: (output) => output.includes('Not backgrounding'),
    },
  );
  const common = { hostname: '127.0.0.1', port, user: user.name, hostKeys: [{ ...identity, publicKey }] };
  return {
    rig,
    key: writeSshClient(dir, { ...common, identity, name: 'key' }),
    password: writeSshClient(dir, { ...common, identity: stranger, name: 'password' }),
  };
}

for (const transport of ['ssh2', 'openssh']) {
  test(`${transport}: dropbear lets a key in and forwards a port, and a socket is said to be beyond it`, async (t) => {
    const started = await startDropbear(t);
    if (started === undefined || !needs(t, 'nc')) return;
    const { rig, key } = started;
    const server = await rig.serve(echo);
    const [port, socket] = [await freePort(), await freePort()];
    const specs = [`${port}:localhost:${server.port}`, `${socket}:/srv/app/app.sock`];
    const tunnel = await rig.tunnel([...key.flags, '--transport', transport, 'key', ...specs]);
    await tunnel.waitFor(new RegExp(`localhost:${socket}`));
    const answer = await rig.run(['nc', '-N', '127.0.0.1', String(port)], { input: 'through dropbear' });
    assert.equal(answer.stdout, 'through dropbear');
    await rig.run(['nc', '-N', '127.0.0.1', String(socket)], { input: 'x' });
    await tunnel.waitFor(/app\.sock[\s\S]*(?:does not|cannot)[\s\S]*socket/i);
  });
}

test('dropbear: a password logs in, and is not shown', async (t) => {
  const started = await startDropbear(t);
  if (started === undefined || !needs(t, 'pty')) return;
  const { rig, password } = started;
  const port = await freePort();
  const terminal = await rig.terminal([...password.flags, 'password', String(port)]);
  await terminal.waitFor(/password:/);
  terminal.write(`${PASSWORD}\r`);
  await terminal.waitFor(new RegExp(`localhost:${port}`));
  assert.ok(!terminal.raw.includes(PASSWORD));
  terminal.write('\x03');
  await terminal.exit;
});
