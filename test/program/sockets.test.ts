import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { echo, freePort } from '../rig/servers.ts';
import type { Sshd } from '../rig/sshd.ts';
import type { TestUser } from '../rig/users.ts';

interface Started {
  readonly rig: Rig;
  readonly sshd: Sshd;
  readonly user: TestUser;
}

/** Logs in as a real user without rights, so that permissions mean something. */
async function start(t: TestContext, config: readonly string[] = []): Promise<Started | undefined> {
  if (!needs(t, 'sshd', 'root')) return undefined;
  const rig = await startRig(t);
  const user = await rig.user();
  return { rig, user, sshd: await rig.sshd({ user, config }) };
}

interface Complaint {
  readonly code: string;
  readonly hint: string;
}

/** The error when a connection to `target` is opened; the connection itself is reset. */
async function complaint({ rig, sshd }: Started, target: string): Promise<Complaint> {
  const port = await freePort();
  const tunnel = await rig.tunnel([...sshd.client.flags, '--json', 'vps', `${port}:${target}`]);
  await tunnel.waitForEvent('forward');
  const socket = connect(port, '127.0.0.1');
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNRESET');
  await tunnel.waitForEvent('error');
  await tunnel.interrupt();
  const errors = tunnel.events.filter(({ event }) => event === 'error');
  // A scan of this machine, as another test makes it, opens one as well.
  const opened = tunnel.events.filter(({ event, state }) => event === 'connection' && state === 'opened');
  assert.equal(errors.length, opened.length);
  const { code, hint } = (errors[0] as unknown as { error: { code: string; hint: string[] } }).error;
  return { code, hint: hint.join('\n') };
}

test('a socket that is missing is said to be missing', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  mkdirSync(join(started.user.home, 'app'), { mode: 0o755 });
  const { code, hint } = await complaint(started, '~/app/app.sock');
  assert.equal(code, 'socket-missing');
  assert.ok(hint.includes(`There is no ${started.user.home}/app/app.sock`), hint);
});

test('a ~ that the shell has made the home of this machine is told from one in quotes', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const home = started.rig.env['HOME'] ?? '';
  chmodSync(home, 0o755);
  const { hint } = await complaint(started, `${home}/app/app.sock`);
  assert.ok(hint.includes("of the one there: '~/app/app.sock'"), hint);
});

test('a directory that is missing is named', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { code, hint } = await complaint(started, '~/nowhere/deep/app.sock');
  assert.equal(code, 'socket-missing');
  assert.ok(hint.includes(`The directory ${started.user.home}/nowhere does not exist`), hint);
});

test('a regular file is said not to be a socket', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  writeFileSync(join(started.user.home, 'app.sock'), '', { mode: 0o666 });
  assert.equal((await complaint(started, '~/app.sock')).code, 'socket-is-not-a-socket');
});

test('a stale socket is said to have nobody listening', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const path = join(started.user.home, 'app.sock');
  // Killed, so that it leaves its file.
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await started.rig.run([process.execPath, '-e', script]);
  chmodSync(path, 0o666);
  assert.equal((await complaint(started, '~/app.sock')).code, 'socket-nobody-listening');
});

test("another user's Gunicorn socket with -m 007 is a matter of permission, of whom and for whom", async (t) => {
  const started = await start(t);
  if (started === undefined || !needs(t, 'gunicorn')) return;
  const owner = await started.rig.user();
  const { socket } = await started.rig.gunicorn({ user: owner });
  const { code, hint } = await complaint(started, socket ?? '');
  assert.equal(code, 'socket-permission');
  assert.match(hint, new RegExp(`srwxrwx--- ${owner.name}:${owner.name}`));
  assert.match(hint, new RegExp(`you are ${started.user.name}`));
});

test('a directory that may not be entered is named as what stands in the way', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const owner = await started.rig.user();
  const folder = join(owner.home, 'private');
  mkdirSync(folder, { mode: 0o700 });
  chownSync(folder, owner.uid, owner.gid);
  await started.rig.serve(echo, { path: join(folder, 'app.sock') });
  const { code, hint } = await complaint(started, join(folder, 'app.sock'));
  assert.equal(code, 'socket-permission');
  assert.ok(hint.includes(`${folder} `), hint);
});

test('sockets switched off by AllowStreamLocalForwarding are told from everything else', async (t) => {
  const started = await start(t, ['AllowStreamLocalForwarding no']);
  if (started === undefined) return;
  const path = join(started.user.home, 'app.sock');
  await started.rig.serve(echo, { path });
  chmodSync(path, 0o666);
  const { code, hint } = await complaint(started, '~/app.sock');
  assert.equal(code, 'socket-forwarding-prohibited');
  assert.match(hint, /AllowStreamLocalForwarding no/);
});

test('a port that nobody listens on refuses', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  assert.equal((await complaint(started, String(await freePort()))).code, 'connect-refused');
});

test('a port that PermitOpen leaves out is told from one that refuses', async (t) => {
  const started = await start(t, ['PermitOpen localhost:1']);
  if (started === undefined) return;
  const server = await started.rig.serve(echo);
  const { code, hint } = await complaint(started, String(server.port));
  assert.equal(code, 'tcp-forwarding-prohibited');
  assert.match(hint, /not in PermitOpen/);
});

test('ports switched off by AllowTcpForwarding are told from one that refuses', async (t) => {
  const started = await start(t, ['AllowTcpForwarding no']);
  if (started === undefined) return;
  const server = await started.rig.serve(echo);
  const { code, hint } = await complaint(started, String(server.port));
  assert.equal(code, 'tcp-forwarding-prohibited');
  assert.match(hint, /AllowTcpForwarding no/);
});

test('a host without a shell forwards, and says that it could not look when it cannot', async (t) => {
  const started = await start(t, ['ForceCommand /bin/false']);
  if (started === undefined) return;
  const { rig, sshd, user } = started;
  const path = join(user.home, 'app.sock');
  await rig.serve(echo, { path });
  chmodSync(path, 0o666);
  const port = await freePort();
  const tunnel = await rig.tunnel([...sshd.client.flags, 'vps', `${port}:${path}`]);
  await tunnel.waitFor(new RegExp(`localhost:${port}`));
  const socket = connect(port, '127.0.0.1');
  socket.write('hello');
  assert.equal(String((await once(socket, 'data'))[0]), 'hello');
  socket.destroy();
  await tunnel.interrupt();
  const { code, hint } = await complaint(started, join(user.home, 'missing.sock'));
  assert.equal(code, 'socket-unknown');
  assert.match(hint, /could not be looked at/);
});
