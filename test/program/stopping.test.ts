import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { abort } from '../rig/abort.ts';
import { startEmbeddedSshd } from '../rig/embedded-sshd.ts';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { echo, freePort, readToEnd, silent } from '../rig/servers.ts';
import { writeSshClient } from '../rig/ssh-client.ts';
import { makeKey } from '../rig/ssh-keys.ts';
import type { Sshd } from '../rig/sshd.ts';
import type { Tunnel } from '../rig/tunnel.ts';
import { until } from '../rig/until.ts';

interface Running {
  readonly rig: Rig;
  readonly sshd: Sshd;
  readonly serverPort: number;
  readonly tunnel: Tunnel;
  readonly port: number;
}

async function running(t: TestContext, behaviour = echo): Promise<Running | undefined> {
  if (!needs(t, 'sshd')) return undefined;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const server = await rig.serve(behaviour);
  const port = await freePort();
  const tunnel = await rig.tunnel([...sshd.client.flags, '--json', 'vps', `${port}:${server.port}`]);
  await tunnel.waitForEvent('forward');
  return { rig, sshd, serverPort: server.port, tunnel, port };
}

async function openConnection(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.write('hello');
  await once(socket, 'data');
  return socket;
}

/** The names of a process's children and theirs. */
function descendantsOf(ancestor: number): string[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,comm='], { encoding: 'utf8' });
  const rows = table.split('\n').map((line) => line.trim().split(/\s+/));
  const below = (parent: string): string[] =>
    rows.flatMap(([pid = '', ppid, name = '']) => (ppid === parent ? [name, ...below(pid)] : []));
  return below(String(ancestor));
}

/** What was on its way when the listener closed is reset; what comes later is refused. */
async function untilRefused(port: number): Promise<void> {
  for (let code: string | undefined; code !== 'ECONNREFUSED';) {
    const [error] = (await once(connect({ port, host: '127.0.0.1' }), 'error')) as [NodeJS.ErrnoException];
    code = error.code;
  }
}

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  test(`${signal} stops listening, lets an open connection finish, and ends with ${status}`, async (t) => {
    const started = await running(t);
    if (started === undefined) return;
    const { tunnel, port } = started;
    const socket = await openConnection(port);
    const exit = tunnel.interrupt(signal);
    await tunnel.waitFor(/1 connection is open/);
    await untilRefused(port);
    socket.end('goodbye');
    assert.equal(await readToEnd(socket), 'goodbye');
    assert.equal((await exit).status, status);
    assert.equal(tunnel.events.at(-1)?.event, 'closed');
    assert.equal(tunnel.events.at(-1)?.['error'], undefined);
  });
}

/** Well below the 3 s that open connections may go on after the first signal. */
const AT_ONCE_MS = 2500;

/** Stops with two SIGINTs; how long after the first one an open connection was reset. */
async function stopTwice({ rig, sshd, serverPort }: Running): Promise<number> {
  const port = await freePort();
  const tunnel = await rig.tunnel([...sshd.client.flags, '--json', 'vps', `${port}:${serverPort}`]);
  await tunnel.waitForEvent('forward');
  const socket = await openConnection(port);
  const reset = once(socket, 'error');
  const start = performance.now();
  const exit = tunnel.interrupt();
  await tunnel.waitFor(/1 connection is open/);
  void tunnel.interrupt();
  const [error] = (await reset) as [NodeJS.ErrnoException];
  const elapsed = performance.now() - start;
  assert.equal(error.code, 'ECONNRESET');
  assert.equal((await exit).status, 130);
  return elapsed;
}

test('a second SIGINT stops at once, and resets what is still open', async (t) => {
  const started = await running(t);
  if (started === undefined) return;
  // The next ones are to have sessions of their own.
  await started.tunnel.stop();
  // One that waits for the end of the grace is never quicker than it; one that does not may be slow on a busy machine.
  const elapsed: number[] = [];
  while (elapsed.length < 5 && !elapsed.some((ms) => ms < AT_ONCE_MS)) elapsed.push(await stopTwice(started));
  assert.ok(
    elapsed.some((ms) => ms < AT_ONCE_MS),
    `it took ${elapsed.join(', ')} ms`,
  );
});

test('SIGINT while the server does not answer ends with 130', async (t) => {
  const rig = await startRig(t);
  const server = await rig.serve(silent);
  const tunnel = await rig.tunnel([
    '-F',
    'none',
    '-p',
    String(server.port),
    '127.0.0.1',
    String(await freePort()),
  ]);
  await tunnel.waitFor(/Connecting/);
  while (server.total === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal((await tunnel.interrupt()).status, 130);
});

test('a terminal that is closed ends the session with 129', async (t) => {
  if (!needs(t, 'sshd', 'pty')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const port = await freePort();
  const terminal = await rig.terminal([...sshd.client.flags, 'vps', String(port)]);
  await terminal.waitFor(new RegExp(`localhost:${port}`));
  terminal.hangUp();
  assert.equal((await terminal.exit).status, 129);
});

test('a port that is in use ends with 1 and names its holder, and nothing is left listening', async (t) => {
  const started = await running(t);
  if (started === undefined) return;
  const { rig, sshd, port, tunnel } = started;
  const free = await freePort();
  // By another name it is another session.
  const host = `${userInfo().username}@vps`;
  const second = await rig.tunnel([...sshd.client.flags, host, String(free), String(port)]);
  assert.equal((await second.exit).status, 1);
  assert.match(second.stderr, new RegExp(`${port}.*in use by node \\(pid ${tunnel.pid}\\)`));
});

test('SIGTERM while ssh_config is still being read ends with 143', async (t) => {
  if (!needs(t, 'ssh')) return;
  const rig = await startRig(t);
  const config = join(rig.dir, 'slow.config');
  writeFileSync(config, 'Match exec "sleep 60"\n  User nobody\n');
  const tunnel = await rig.tunnel(['-F', config, '127.0.0.1', String(await freePort())]);
  await until('ssh runs', () => descendantsOf(tunnel.pid).some((name) => name === 'sleep'));
  assert.equal((await tunnel.interrupt('SIGTERM')).status, 143);
});

/** A jump host that never answers when it is asked for the host behind it. */
async function jumpThatHangs(rig: Rig): Promise<{ flags: string[]; asked: () => boolean }> {
  const identity = await makeKey(join(rig.folder('keys'), 'id'));
  let asked = false;
  const jump = await rig.own(
    startEmbeddedSshd({
      publicKey: identity.publicKey,
      home: rig.folder('home'),
      onOpen: () => {
        asked = true;
        return 'ignore';
      },
    }),
  );
  const client = writeSshClient(rig.folder('client'), {
    hostname: jump.host,
    port: jump.port,
    user: 'deploy',
    identity,
    hostKeys: [{ ...identity, publicKey: jump.hostKey }],
    name: 'jump',
  });
  writeFileSync(client.configFile, 'Host behind\n  HostName 127.0.0.1\n  ProxyJump jump\n', { flag: 'a' });
  return { flags: [...client.flags], asked: () => asked };
}

test('SIGINT while a jump host tries to reach the host ends with 130', async (t) => {
  if (!needs(t, 'ssh')) return;
  const rig = await startRig(t);
  const { flags, asked } = await jumpThatHangs(rig);
  const tunnel = await rig.tunnel([...flags, 'behind', String(await freePort())]);
  await until('the jump host is asked', asked);
  assert.equal((await tunnel.interrupt()).status, 130);
});

test('ConnectTimeout counts behind a jump host as well', async (t) => {
  if (!needs(t, 'ssh')) return;
  const rig = await startRig(t);
  const { flags } = await jumpThatHangs(rig);
  const tunnel = await rig.tunnel([...flags, '-o', 'ConnectTimeout=1', 'behind', String(await freePort())]);
  assert.equal((await tunnel.exit).status, 255);
  assert.match(tunnel.stderr, /✖ Cannot reach behind from the jump host jump/);
});

test('Ctrl-C in a terminal lets an open connection finish through a ProxyCommand, too', async (t) => {
  if (!needs(t, 'sshd', 'pty', 'nc')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const server = await rig.serve(echo);
  const port = await freePort();
  const proxy = `ProxyCommand=nc 127.0.0.1 ${sshd.port}`;
  const terminal = await rig.terminal([...sshd.client.flags, '-o', proxy, 'vps', `${port}:${server.port}`]);
  await terminal.waitFor(new RegExp(`localhost:${port}`));
  const socket = await openConnection(port);
  terminal.write('\x03');
  await terminal.waitFor(/1 connection is open/);
  socket.end('goodbye');
  assert.equal(await readToEnd(socket), 'goodbye');
  assert.equal((await terminal.exit).status, 130);
});

test('nothing of the live line is left on a terminal that was made narrower, and then Ctrl-C', async (t) => {
  if (!needs(t, 'sshd', 'pty')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const server = await rig.serve(echo);
  const port = await freePort();
  const terminal = await rig.terminal([...sshd.client.flags, 'vps', `${port}:${server.port}`]);
  await terminal.waitFor(/up \d+s$/);
  const socket = await openConnection(port);
  terminal.resize(40, 40);
  terminal.write('\x03');
  await terminal.waitFor(/1 connection is open/);
  socket.destroy();
  await terminal.exit;
  const [ready, forward, closing, ...more] = terminal.screen.split('\n');
  assert.match(ready ?? '', /^● vps  /);
  assert.match(forward ?? '', new RegExp(`^  http://localhost:${port} → localhost:${server.port}$`));
  assert.match(closing ?? '', /^Closing: 1 connection is open/);
  assert.deepEqual(more, []);
});

test('a server that resets at once ends with 255 and a last event, not with an error of ours', async (t) => {
  const rig = await startRig(t);
  const server = await rig.serve(abort);
  for (let i = 0; i < 5; i += 1) {
    const tunnel = await rig.tunnel([
      '-F',
      'none',
      '--json',
      '-p',
      String(server.port),
      '127.0.0.1',
      String(await freePort()),
    ]);
    assert.equal((await tunnel.exit).status, 255);
    assert.doesNotMatch(tunnel.stderr, /Internal error/);
    assert.equal(tunnel.events.at(-1)?.event, 'closed');
  }
});
