import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import type { RunOptions, RunResult } from '../rig/run.ts';
import { closesFirst, freePort, silent } from '../rig/servers.ts';
import type { Sshd } from '../rig/sshd.ts';
import { binary } from '../rig/tunnel.ts';
import { until } from '../rig/until.ts';

interface Started {
  readonly rig: Rig;
  readonly sshd: Sshd;
  readonly target: number;
  readonly tunnel: (args: string[], options?: Partial<RunOptions>) => Promise<RunResult>;
}

async function start(t: TestContext): Promise<Started | undefined> {
  if (!needs(t, 'sshd')) return undefined;
  const rig = await startRig(t);
  const sshd = await rig.sshd({ relay: true });
  const { port: target } = await rig.serve(closesFirst('from there'));
  const tunnel = (args: string[], options: Partial<RunOptions> = {}) =>
    rig.run([process.execPath, binary, ...args], { cwd: rig.env['HOME'] ?? rig.dir, ...options });
  return { rig, sshd, target, tunnel };
}

/** A command that shows its TUNNEL variables, which the rig's own directories are not among. */
const SHOW = ['sh', '-c', 'env | grep -E "^TUNNEL_(URL|HOST|PORT|SOCKET)" | sort'];

test('exec gives the command its variables, its input and output, and ends with its status', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { sshd, target, tunnel } = started;
  const [first, second] = [await freePort(), await freePort()];
  const open = [
    'exec',
    ...sshd.client.flags,
    'vps',
    `${first}:${target}`,
    `${second}:5432`,
    `./there.sock:${target}`,
  ];
  const shown = await tunnel([...open, '--', ...SHOW], {
    env: { ...started.rig.env, TUNNEL_URL_7: 'of an outer one' },
  });
  assert.equal(shown.status, 0, shown.stderr);
  assert.equal(shown.stderr, '', 'nothing of our own');
  assert.deepEqual(shown.stdout.trimEnd().split('\n'), [
    'TUNNEL_HOST=127.0.0.1',
    'TUNNEL_HOST_1=127.0.0.1',
    'TUNNEL_HOST_2=127.0.0.1',
    `TUNNEL_PORT=${first}`,
    `TUNNEL_PORT_1=${first}`,
    `TUNNEL_PORT_2=${second}`,
    `TUNNEL_SOCKET_3=${started.rig.env['HOME']}/there.sock`,
    `TUNNEL_URL=http://localhost:${first}`,
    `TUNNEL_URL_1=http://localhost:${first}`,
  ]);

  const line = [...open.slice(0, -2), '--'];
  const copied = await tunnel([...line, 'cat', '-'], { input: 'through' });
  assert.equal(copied.stdout, 'through');
  const reads = `exec 3<>"/dev/tcp/$TUNNEL_HOST/$TUNNEL_PORT"; cat <&3; exit 42`;
  const status = await tunnel([...line, 'bash', '-c', reads]);
  assert.equal(status.stdout, 'from there');
  assert.equal(status.status, 42);
  assert.equal((await tunnel([...line, 'sh', '-c', 'kill -KILL $$'])).status, 137);
  const talkative = await tunnel([
    'exec',
    '-v',
    ...sshd.client.flags,
    'vps',
    `${first}:${target}`,
    '--',
    'echo',
    'only this',
  ]);
  assert.equal(talkative.stdout, 'only this\n');
  assert.match(talkative.stderr, /Connected to vps/);
});

test('exec says what failed, with the status that it would have elsewhere', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd, target, tunnel } = started;
  const flags = ['exec', ...sshd.client.flags];
  const port = await freePort();
  const missing = await tunnel([...flags, 'vps', `${port}:${target}`, '--', './no-such-command']);
  assert.equal(missing.status, 127);
  assert.equal(missing.stderr, '✖ Cannot run ./no-such-command: command not found\n');
  assert.equal((await tunnel([...flags, 'vps', `${port}:${target}`, '--', rig.dir])).status, 126);
  const { port: taken } = await rig.serve(silent);
  const marker = join(rig.dir, 'ran');
  const inUse = await tunnel([...flags, 'vps', `${taken}:${target}`, '--', 'touch', marker]);
  assert.equal(inUse.status, 1);
  assert.match(inUse.stderr, /^✖ Cannot listen on .*in use/);
  const nowhere = await tunnel([...flags, 'nowhere.invalid', `${port}:${target}`, '--', 'touch', marker]);
  assert.equal(nowhere.status, 255);
  assert.equal(existsSync(marker), false, 'the command did not run');
});

test('exec passes signals on, and ends when the command does', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd, target } = started;
  const script = `for s in TERM HUP INT USR1; do trap "echo $s" $s; done; trap 'echo bye; exit 7' USR2; echo ready; while :; do sleep 0.05; done`;
  const tunnel = await rig.tunnel([
    'exec',
    ...sshd.client.flags,
    'vps',
    `${await freePort()}:${target}`,
    '--',
    'sh',
    '-c',
    script,
  ]);
  await tunnel.waitFor(/ready/);
  for (const signal of ['TERM', 'HUP', 'INT', 'USR1'] as const) {
    process.kill(tunnel.pid, `SIG${signal}`);
    await tunnel.waitFor(new RegExp(`^${signal}$`, 'm'));
  }
  assert.equal((await tunnel.interrupt('SIGUSR2')).status, 7);
  assert.match(tunnel.stdout, /bye/);
});

test('a Ctrl-C on the terminal reaches the command once', async (t) => {
  const started = await start(t);
  if (started === undefined || !needs(t, 'pty')) return;
  const { rig, sshd, target } = started;
  const script = `trap 'n=$((n + 1))' INT; trap 'echo interrupted $n; exit 3' USR1; echo ready; while :; do sleep 0.05; [ "$n" ] && sleep 0.5 && kill -USR1 $$; done`;
  const terminal = await rig.terminal([
    'exec',
    ...sshd.client.flags,
    'vps',
    `${await freePort()}:${target}`,
    '--',
    'sh',
    '-c',
    script,
  ]);
  await terminal.waitFor(/ready/);
  terminal.write('\u0003');
  await terminal.waitFor(/interrupted 1/);
  assert.equal((await terminal.exit).status, 3);
});

test('exec joins the session that is there, and takes only its own forwards away', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd, target, tunnel } = started;
  const [first, second] = [await freePort(), await freePort()];
  await tunnel([...sshd.client.flags, 'vps', `${first}:${target}`, '-d']);
  const specs = [`${second}:${target}`, `${first}:${target}`];
  const result = await tunnel(['exec', ...sshd.client.flags, 'vps', ...specs, '--', ...SHOW]);
  assert.equal(result.status, 0, result.stderr);
  assert.match(result.stdout, new RegExp(`^TUNNEL_PORT_1=${second}\nTUNNEL_PORT_2=${first}$`, 'm'));
  assert.equal(sshd.relay?.total, 1, 'one connection to the host');
  await until('its forward has gone', async () => {
    const [session] = JSON.parse((await tunnel(['ls', '--json'])).stdout) as {
      forwards: { spec: string }[];
    }[];
    return session?.forwards.length === 1 && session.forwards[0]?.spec === `${first}:${target}`;
  });
  await tunnel(['stop', 'vps']);

  const cache = readFileSync(join(rig.env['TUNNEL_STATE_DIR'] ?? '', 'scan', 'vps.json'), 'utf8');
  const { specs: remembered } = JSON.parse(cache) as { specs: string[] };
  assert.deepEqual(new Set(remembered), new Set(specs), 'what was opened is offered the next time');
});
