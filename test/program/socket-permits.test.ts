import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { needs } from '../rig/requirements.ts';
import { startRig } from '../rig/rig.ts';
import { freePort } from '../rig/servers.ts';

interface Permits {
  /** Lines of sshd_config. */
  readonly config?: readonly string[];
  /** Options of our key in ~/.ssh/authorized_keys there. */
  readonly options?: string;
  readonly flags?: readonly string[];
}

/** What is said of a socket that anybody may write to, with a server behind it; undefined where this cannot be had. */
async function complaint(t: TestContext, permits: Permits): Promise<string | undefined> {
  if (!needs(t, 'sshd', 'root', 'netns')) return undefined;
  const rig = await startRig(t);
  const user = await rig.user();
  const machine = await rig.machine();
  const sshd = await rig.sshd({
    user,
    on: machine,
    config: ['AuthorizedKeysFile .ssh/authorized_keys', ...(permits.config ?? [])],
  });
  // So that the configuration it has is where it would be looked for.
  await rig.run([...machine.prefix, 'mount', '--bind', sshd.dir, '/etc/ssh']);
  const folder = join(user.home, '.ssh');
  mkdirSync(folder, { mode: 0o700 });
  const keys = join(folder, 'authorized_keys');
  writeFileSync(keys, `${permits.options ?? ''} ${sshd.identity.publicKey}\n`.trimStart(), { mode: 0o600 });
  for (const path of [folder, keys]) chownSync(path, user.uid, user.gid);

  const path = join(user.home, 'app.sock');
  // There, since the kernel lists a socket only on the machine that listens on it.
  const server = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('listening'))`;
  await rig.start([...machine.prefix, process.execPath, '-e', server], {
    ready: (output) => output.includes('listening'),
  });
  chmodSync(path, 0o666);
  const port = await freePort();
  const tunnel = await rig.tunnel([...sshd.client.flags, ...(permits.flags ?? []), 'vps', `${port}:${path}`]);
  await tunnel.waitFor(new RegExp(`localhost:${port}`));
  const socket = connect(port, '127.0.0.1');
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNRESET');
  await tunnel.waitFor(/✖ .*\n(  .*\n)+/);
  await tunnel.interrupt();
  return tunnel.stderr;
}

for (const transport of ['ssh2', 'openssh']) {
  const flags = ['--transport', transport];

  test(`AllowStreamLocalForwarding no: sockets alone are refused, over ${transport}`, async (t) => {
    const said = await complaint(t, { flags, config: ['AllowStreamLocalForwarding no'] });
    if (said === undefined) return;
    assert.match(said, /permits ports, but no sockets/);
    assert.match(said, /sshd_config:\d+: AllowStreamLocalForwarding no\n/);
    assert.doesNotMatch(said, /AllowTcpForwarding|PermitOpen/);
  });

  test(`AllowTcpForwarding no: forwarding is switched off, over ${transport}`, async (t) => {
    const said = await complaint(t, { flags, config: ['AllowTcpForwarding no'] });
    if (said === undefined) return;
    assert.match(said, /forwarding seems to be switched off/);
    assert.match(said, /sshd_config:\d+: AllowTcpForwarding no\n/);
    assert.doesNotMatch(said, /PermitOpen/);
  });
}

for (const list of ['localhost:1', 'localhost:* 127.0.0.1:* [::1]:*']) {
  test(`PermitOpen ${list}: only what is listed is permitted`, async (t) => {
    const said = await complaint(t, { config: [`PermitOpen ${list}`] });
    if (said === undefined) return;
    assert.match(said, /seems to permit listed ports only/);
    assert.ok(said.includes(`: PermitOpen ${list}\n`), said);
    assert.doesNotMatch(said, /switched off/);
  });
}

test('restrict in authorized_keys: forwarding is switched off for the key', async (t) => {
  const said = await complaint(t, { options: 'restrict' });
  if (said === undefined) return;
  assert.match(said, /forwarding seems to be switched off/);
  assert.match(said, /\.ssh\/authorized_keys:1: restrict\n/);
});

test('permitopen in authorized_keys: only what is listed is permitted to the key', async (t) => {
  const said = await complaint(t, { options: 'permitopen="localhost:1"' });
  if (said === undefined) return;
  assert.match(said, /seems to permit listed ports only/);
  assert.match(said, /\.ssh\/authorized_keys:1: permitopen="localhost:1"\n/);
});

test('a switch that nobody may read is still told from AllowStreamLocalForwarding', async (t) => {
  const said = await complaint(t, {
    config: ['AllowTcpForwarding no', 'ForceCommand /bin/false'],
  });
  if (said === undefined) return;
  assert.match(said, /permits neither sockets nor all ports/);
});
