import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import type { RunResult } from '../rig/run.ts';
import { echo, freePort, silent } from '../rig/servers.ts';
import type { Sshd } from '../rig/sshd.ts';
import { binary } from '../rig/tunnel.ts';
import { until } from '../rig/until.ts';

interface Started {
  readonly rig: Rig;
  readonly sshd: Sshd;
  /** Of a server behind the host. */
  readonly target: number;
  /** Runs `tunnel ARGS` to its end. */
  readonly tunnel: (...args: string[]) => Promise<RunResult>;
}

async function start(t: TestContext): Promise<Started | undefined> {
  if (!needs(t, 'sshd')) return undefined;
  const rig = await startRig(t);
  const sshd = await rig.sshd({ relay: true });
  const { port: target } = await rig.serve(echo);
  const tunnel = (...args: string[]) =>
    rig.run([process.execPath, binary, ...args], { cwd: rig.env['HOME'] ?? rig.dir });
  return { rig, sshd, target, tunnel };
}

interface Status {
  readonly name: string;
  readonly pid: number;
  readonly state: string;
  readonly via: string;
  readonly uptimeSeconds: number;
  readonly forwards: readonly { readonly spec: string; readonly total: number }[];
}

async function sessions({ tunnel }: Started): Promise<Status[]> {
  return JSON.parse((await tunnel('ls', '--json')).stdout) as Status[];
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    socket.write('hello');
    const [data] = (await once(socket, 'data')) as [Buffer];
    return data.toString() === 'hello';
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

test('-d returns when everything is open, and the session is there until it is stopped', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { sshd, target, tunnel } = started;
  const port = await freePort();
  const opened = await tunnel(...sshd.client.flags, 'vps', `${port}:${target}`, '-d');
  assert.equal(opened.status, 0, opened.stderr);
  assert.match(opened.stdout, new RegExp(`^http://localhost:${port} → localhost:${target}\n$`));
  assert.ok(await answers(port));

  const [session, ...others] = await sessions(started);
  assert.deepEqual(others, []);
  assert.equal(session?.name, 'vps');
  assert.equal(session.state, 'ready');
  assert.equal(session.via, 'ssh');
  assert.deepEqual(
    session.forwards.map(({ spec, total }) => [spec, total]),
    [[`${port}:${target}`, 1]],
  );
  assert.equal((await tunnel('status', 'vps')).status, 0);

  assert.equal((await tunnel('stop', 'vps')).stdout, 'Stopped vps\n');
  assert.equal(await answers(port), false);
  assert.deepEqual(await sessions(started), []);
  assert.deepEqual(readdirSync(started.rig.env['TUNNEL_RUNTIME_DIR'] ?? ''), []);
});

test('-d says what the foreground would say, with the same status, when it cannot be opened', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd, tunnel } = started;
  const stranger = sshd.writeClient({ name: 'stranger', known: false });
  const { port: taken } = await rig.serve(silent);
  const lines: [string[], number][] = [
    [[...stranger.flags, 'stranger', '1'], 255],
    [[...sshd.client.flags, 'vps', `${taken}:1`], 1],
    [[...sshd.client.flags, 'nowhere.invalid', '1'], 255],
    [['-F', '/does/not/exist', 'vps', '1'], 2],
  ];
  for (const [line, status] of lines) {
    const [foreground, background] = await Promise.all([tunnel(...line), tunnel(...line, '-d')]);
    assert.equal(foreground.status, status, foreground.stderr);
    assert.equal(background.status, status, background.stderr);
    const complaint = (text: string) => text.slice(text.indexOf('✖')).replaceAll(/pid \d+/g, 'pid');
    assert.equal(complaint(background.stderr), complaint(foreground.stderr));
  }
  assert.deepEqual(await sessions(started), []);
});

test('a second tunnel to the host adds to the session, and takes away its own alone when it ends', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd, target, tunnel } = started;
  const [first, second] = [await freePort(), await freePort()];
  await tunnel(...sshd.client.flags, 'vps', `${first}:${target}`, '-d');
  const other = await rig.tunnel([...sshd.client.flags, '--json', 'vps', `${second}:${target}`]);
  await other.waitForEvent('forward');
  assert.ok((await answers(first)) && (await answers(second)));
  assert.equal(sshd.relay?.total, 1, 'one connection to the host');

  assert.equal((await other.interrupt()).status, 130);
  await until('its forward is gone', async () => !(await answers(second)));
  assert.ok(await answers(first));
  assert.equal((await sessions(started))[0]?.forwards.length, 1);
});

test('a second tunnel that is killed takes its forward away, too', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd, target, tunnel } = started;
  const [first, second] = [await freePort(), await freePort()];
  await tunnel(...sshd.client.flags, 'vps', `${first}:${target}`, '-d');
  const other = await rig.tunnel([...sshd.client.flags, '--json', 'vps', `${second}:${target}`]);
  await other.waitForEvent('forward');
  await other.interrupt('SIGKILL');
  await until('its forward is gone', async () => !(await answers(second)));
  assert.ok(await answers(first));
});

test('what two want stays until the last of them has left', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd, target, tunnel } = started;
  const [first, shared] = [await freePort(), await freePort()];
  await tunnel(...sshd.client.flags, 'vps', `${first}:${target}`, '-d');
  const args = [...sshd.client.flags, '--json', 'vps', `${shared}:${target}`];
  const one = await rig.tunnel(args);
  await one.waitForEvent('forward');
  const two = await rig.tunnel(args);
  await two.waitFor(/open already/);
  await one.interrupt();
  assert.ok(await answers(shared));
  await two.interrupt();
  await until('it is gone', async () => !(await answers(shared)));
});

test('opening what is open is no failure, and adding with -d stays', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { sshd, target, tunnel } = started;
  const [first, second] = [await freePort(), await freePort()];
  const open = (...specs: string[]) => tunnel(...sshd.client.flags, 'vps', ...specs, '-d');
  await open(`${first}:${target}`);
  const again = await open(`${first}:${target}`);
  assert.equal(again.status, 0);
  assert.match(again.stderr, /open already/);
  assert.equal((await open(`${second}:${target}`)).status, 0);
  assert.ok(await answers(second));
  assert.equal((await sessions(started)).length, 1);
});

test('add and cancel change a session, all or nothing, and what is not there is 1', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd, target, tunnel } = started;
  const [first, second] = [await freePort(), await freePort()];
  await tunnel(...sshd.client.flags, 'vps', `${first}:${target}`, '-d');
  assert.equal((await tunnel('add', 'vps', `${second}:${target}`)).status, 0);
  assert.ok(await answers(second));

  const { port: taken } = await rig.serve(silent);
  const third = await freePort();
  const refused = await tunnel('add', 'vps', `${third}:${target}`, `${taken}:1`);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, new RegExp(`✖ .*${taken}.*in use`));
  assert.equal(await answers(third), false);

  const conflict = await tunnel('add', 'vps', `${first}:1`);
  assert.equal(conflict.status, 1);
  assert.match(conflict.stderr, new RegExp(`the session with vps listens there for ${first}:${target}`));

  assert.equal((await tunnel('cancel', 'vps', `${second}:${target}`, `${third}:1`)).status, 1);
  assert.ok(await answers(second));
  assert.equal((await tunnel('cancel', 'vps', `${second}:${target}`)).status, 0);
  assert.equal(await answers(second), false);
});

test('names may be globs; a name that stands for nothing is 1, and says what there is', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { sshd, target, tunnel } = started;
  for (const user of ['', `${process.env['USER'] ?? 'root'}@`]) {
    await tunnel(...sshd.client.flags, `${user}vps`, `${await freePort()}:${target}`, '-d');
  }
  assert.equal((await sessions(started)).length, 2);
  const missing = await tunnel('stop', 'vsp');
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /There is no session "vsp"\n {2}Did you mean vps\?/);
  assert.equal((await tunnel('status', 'v*', '*@vps')).status, 0);
  assert.equal((await tunnel('stop', '*vps')).stdout.split('\n').length, 3);
  assert.deepEqual(await sessions(started), []);
  const nothing = await tunnel('stop', '--all');
  assert.equal(nothing.status, 0);
});

test('status tells of a session that waits, with 1 and the reason; retry makes it connect now', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { sshd, target, tunnel } = started;
  const port = await freePort();
  await tunnel(...sshd.client.flags, '--reconnect', '1h..1h', 'vps', `${port}:${target}`, '-d');
  await sshd.relay?.refuse(true);
  sshd.relay?.drop();
  await until('it waits', async () => (await tunnel('status', 'vps')).status === 1);
  assert.match(
    (await tunnel('status', 'vps')).stdout,
    /waiting, next try in \d+ s.*\n {2}The connection to vps is lost/,
  );
  await sshd.relay?.refuse(false);
  const { status, stdout } = await tunnel('retry', 'vps');
  assert.equal(status, 0, stdout);
  await until('it is ready', async () => (await tunnel('status', 'vps')).status === 0);
});

test('SIGHUP has a session in the background connect now, and SIGTERM ends it', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { sshd, target, tunnel } = started;
  await tunnel(...sshd.client.flags, '--reconnect', '1h..1h', 'vps', `${await freePort()}:${target}`, '-d');
  await sshd.relay?.refuse(true);
  sshd.relay?.drop();
  await until('it waits', async () => (await tunnel('status', 'vps')).status === 1);
  await sshd.relay?.refuse(false);
  const { pid } = (await sessions(started))[0] ?? { pid: 0 };
  process.kill(pid, 'SIGHUP');
  await until('it is ready', async () => (await tunnel('status', 'vps')).status === 0);
  process.kill(pid, 'SIGTERM');
  await until('it is gone', async () => (await sessions(started)).length === 0);
});

test('another configuration than that of the session is said', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { sshd, target, tunnel } = started;
  await tunnel(...sshd.client.flags, 'vps', `${await freePort()}:${target}`, '-d');
  const same = await tunnel(...sshd.client.flags, 'vps', `${await freePort()}:${target}`, '-d');
  assert.doesNotMatch(same.stderr, /another configuration/);
  const other = await tunnel(...sshd.client.flags, '-C', 'vps', `${await freePort()}:${target}`, '-d');
  assert.equal(other.status, 0);
  assert.match(other.stderr, /another configuration or other flags/);
});

test('logs show what a session told, also after its end, and are for the user alone', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd, target, tunnel } = started;
  const port = await freePort();
  await tunnel(...sshd.client.flags, 'vps', `${port}:${target}`, '-d');
  const following = await rig.tunnel(['logs', '-f', 'vps']);
  await following.waitFor(/● vps/);
  sshd.relay?.drop();
  await following.waitFor(/is lost/);
  await tunnel('stop', 'vps');
  await following.waitFor(/closed/);
  assert.equal((await following.interrupt()).status, 130);

  const { stdout } = await tunnel('logs', 'vps', '--json');
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { event: string }).event);
  assert.ok(events.includes('ready') && events.includes('waiting') && events.at(-1) === 'closed');
  assert.equal((await tunnel('logs', 'other')).status, 1);
  const log = join(rig.env['TUNNEL_STATE_DIR'] ?? '', 'log', 'vps.jsonl');
  assert.equal(statSync(log).mode & 0o777, 0o600);
  assert.ok(readFileSync(log, 'utf8').includes('"event":"ready"'));
});

test('attach shows a session that goes on afterwards, and ends with it', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd, target, tunnel } = started;
  const port = await freePort();
  await tunnel(...sshd.client.flags, 'vps', `${port}:${target}`, '-d');
  const attached = await rig.tunnel(['attach', 'vps', '--json']);
  await attached.waitForEvent('forward');
  assert.equal((await attached.interrupt()).status, 130);
  assert.ok(await answers(port));
  const again = await rig.tunnel(['attach', 'vps', '--json']);
  await again.waitForEvent('ready');
  await tunnel('stop', 'vps');
  assert.equal((await again.exit).status, 255);
  assert.match(again.stderr, /ended by another process/);
});

test('a passphrase is asked for before it goes to the background, and serves a reconnect', async (t) => {
  if (!needs(t, 'sshd', 'pty')) return;
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd, target, tunnel } = started;
  const key = join(rig.dir, 'locked');
  await rig.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', 'open sesame', '-f', key]);
  sshd.authorize(readFileSync(`${key}.pub`, 'utf8').trim());
  const port = await freePort();
  const flags = [...sshd.client.flags, '-o', 'IdentitiesOnly=yes', '-o', `IdentityFile=${key}`];
  const only = flags.filter((flag) => flag !== '-o' && !flag.startsWith('Identit'));
  const terminal = await rig.terminal([
    ...only,
    '-i',
    key,
    '-o',
    'IdentityAgent=none',
    'vps',
    `${port}:${target}`,
    '-d',
  ]);
  await terminal.waitFor(/passphrase/i);
  terminal.write('open sesame\r');
  assert.equal((await terminal.exit).status, 0);
  const { pid } = (await sessions(started))[0] ?? { pid: 0 };
  sshd.relay?.drop();
  await until(
    'it is ready again',
    async () => sshd.relay?.total === 2 && (await tunnel('status', 'vps')).status === 0,
  );
  assert.ok(await answers(port));
  for (const place of ['cmdline', 'environ']) {
    assert.ok(!readFileSync(`/proc/${pid}/${place}`, 'utf8').includes('sesame'));
  }
  assert.ok(!(await tunnel('logs', 'vps', '--json')).stdout.includes('sesame'));
});

/** A session in the background that has lost its connection and gets none. */
async function waitingSession(
  { sshd, target, tunnel }: Started,
  port: number,
  ...flags: string[]
): Promise<void> {
  const line = [...sshd.client.flags, '--reconnect', '1h..1h', ...flags, 'vps', `${port}:${target}`, '-d'];
  assert.equal((await tunnel(...line)).status, 0);
  await sshd.relay?.refuse(true);
  sshd.relay?.drop();
  await until('it waits', async () => (await tunnel('status', 'vps')).status === 1);
}

test('a remote forward that waits for the connection keeps no other change waiting', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd, target, tunnel } = started;
  const [first, second, leased, remote] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  await waitingSession(started, first, '--hold', '1m');
  const other = await rig.tunnel([...sshd.client.flags, '--json', 'vps', `${leased}:${target}`]);
  await other.waitForEvent('forward');
  const waiting = await rig.tunnel(['add', 'vps', '-R', `${remote}:localhost:${target}`]);
  const cancel = () => tunnel('cancel', 'vps', '-R', `${remote}:localhost:${target}`);
  await until('it waits', async () => (await cancel()).stderr.includes('waits for the connection'));

  assert.equal((await tunnel('add', 'vps', `${second}:${target}`)).status, 0);
  assert.equal((await tunnel('cancel', 'vps', `${second}:${target}`)).status, 0);
  await other.interrupt();
  const present = async () =>
    (await sessions(started)).flatMap(({ forwards }) => forwards.map(({ spec }) => spec));
  await until('its forward is gone', async () => (await present()).length === 1);

  await waiting.interrupt();
  await until('nobody waits', async () => !(await cancel()).stderr.includes('waits for the connection'));
  await sshd.relay?.refuse(false);
  await tunnel('retry', 'vps');
  await until('it is ready', async () => (await tunnel('status', 'vps')).status === 0);
  assert.deepEqual(await present(), [`${first}:${target}`]);
});

test('a remote forward fails when there was no connection for as long as --hold says', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { target, tunnel } = started;
  await waitingSession(started, await freePort(), '--hold', '1s');
  const { status, stderr } = await tunnel('add', 'vps', '-R', `9:localhost:${target}`);
  assert.equal(status, 1);
  assert.match(stderr, /✖ Cannot open -R 9:.*: there was no connection to vps for 1 s: /);
});

test('-d that waits to add to a session ends with SIGTERM, and adds nothing', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd, target, tunnel } = started;
  await waitingSession(started, await freePort(), '--hold', '1m');
  const spec = `${await freePort()}:localhost:${target}`;
  const cancel = () => tunnel('cancel', 'vps', '-R', spec);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const adding = await rig.tunnel([...sshd.client.flags, 'vps', '-R', spec, '-d']);
    await until('it waits', async () => (await cancel()).stderr.includes('waits for the connection'));
    assert.equal((await adding.interrupt(signal)).status, signal === 'SIGINT' ? 130 : 143);
    await until('nobody waits', async () => !(await cancel()).stderr.includes('waits for the connection'));
  }
});

test('Enter has a session of another process connect now, in attach and in a second tunnel', async (t) => {
  if (!needs(t, 'pty')) return;
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd, target, tunnel } = started;
  await waitingSession(started, await freePort());
  const lines = [
    ['attach', 'vps'],
    [...sshd.client.flags, 'vps', `${await freePort()}:${target}`],
  ];
  for (const line of lines) {
    await sshd.relay?.refuse(true);
    sshd.relay?.drop();
    await until('it waits', async () => (await tunnel('status', 'vps')).status === 1);
    const terminal = await rig.terminal(line);
    await terminal.waitFor(/Enter: now/);
    await sshd.relay?.refuse(false);
    terminal.write('\r');
    await until('it is ready', async () => (await tunnel('status', 'vps')).status === 0);
    terminal.write('\x03');
    assert.equal((await terminal.exit).status, 130);
  }
});

test('a second tunnel with --wait has the session itself after the first one was stopped', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd, target, tunnel } = started;
  const [first, second] = [await freePort(), await freePort()];
  await tunnel(...sshd.client.flags, 'vps', `${first}:${target}`, '-d');
  const other = await rig.tunnel([...sshd.client.flags, '--wait', '--json', 'vps', `${second}:${target}`]);
  await other.waitForEvent('forward');
  assert.equal((await tunnel('stop', 'vps')).status, 0);
  await until('it has the session', async () => (await sessions(started))[0]?.pid === other.pid);
  await until('it carries connections', async () => await answers(second));
  assert.equal((await other.interrupt()).status, 130);
});
