import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
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
  readonly socket: string;
  readonly specs: readonly string[];
  readonly tunnel: (...args: string[]) => Promise<RunResult>;
}

async function start(t: TestContext): Promise<Started | undefined> {
  if (!needs(t, 'sshd', 'curl')) return undefined;
  const rig = await startRig(t);
  const sshd = await rig.sshd({ relay: true });
  const { port } = await rig.serve(echo);
  return {
    rig,
    sshd,
    socket: join(rig.env['TUNNEL_RUNTIME_DIR'] ?? '', 'vps.sock'),
    specs: [`${await freePort()}:${port}`],
    tunnel: (...args) => rig.run([process.execPath, binary, ...args], { cwd: rig.env['HOME'] ?? rig.dir }),
  };
}

async function open({ sshd, specs, tunnel }: Started, ...flags: string[]): Promise<RunResult> {
  return await tunnel(...sshd.client.flags, ...flags, 'vps', ...specs, '-d');
}

async function sessionCount({ tunnel }: Started): Promise<number> {
  return (JSON.parse((await tunnel('ls', '--json')).stdout) as unknown[]).length;
}

test('two that are started at the same moment end as one session, every time', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { sshd, tunnel } = started;
  for (let round = 1; round <= 20; round++) {
    const both: RunResult[] = await Promise.all([open(started), open(started)]);
    assert.deepEqual(
      both.map(({ status }) => status),
      [0, 0],
      both.map(({ stderr }) => stderr).join(''),
    );
    assert.equal(sshd.relay?.total, round, 'one connection a round');
    assert.equal((await tunnel('stop', 'vps')).status, 0);
  }
});

test('stop ends a session that is connecting, and one that waits, for good', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd, specs, tunnel } = started;
  sshd.relay?.blackhole(true);
  const connecting = await rig.tunnel([...sshd.client.flags, '--json', 'vps', ...specs]);
  await connecting.waitForEvent('connecting', ({ phase }) => phase === 'connecting');
  await until('its socket is there', () => existsSync(started.socket));
  assert.equal((await tunnel('stop', 'vps')).status, 0);
  assert.equal((await connecting.exit).status, 0);
  sshd.relay?.blackhole(false);

  await sshd.relay?.refuse(true);
  const waiting = await rig.tunnel([...sshd.client.flags, '--wait', '--json', 'vps', ...specs]);
  await waiting.waitForEvent('waiting');
  assert.equal((await tunnel('stop', 'vps')).status, 0);
  assert.equal((await waiting.exit).status, 0);

  const starting = await rig.tunnel([...sshd.client.flags, '--wait', 'vps', ...specs, '-d']);
  await until('it waits', async () => (await tunnel('status', 'vps')).stdout.includes('waiting'));
  assert.equal((await tunnel('stop', 'vps')).status, 0);
  assert.equal((await starting.exit).status, 0);
  assert.match(starting.stderr, /vps was stopped by another process/);
  assert.equal(await sessionCount(started), 0);
});

test('a session that was killed leaves a socket that the next command removes', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  await open(started);
  const [{ pid }] = JSON.parse((await started.tunnel('ls', '--json')).stdout) as [{ pid: number }];
  process.kill(pid, 'SIGKILL');
  await until('it is gone', () => !existsSync(`/proc/${pid}`));
  assert.ok(existsSync(started.socket));
  assert.equal(await sessionCount(started), 0);
  assert.ok(!existsSync(started.socket));
  assert.equal((await open(started)).status, 0);
});

test('a session that hangs is said by its name, and the others are shown beside it', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { sshd, rig, tunnel } = started;
  await open(started);
  const [{ pid }] = JSON.parse((await tunnel('ls', '--json')).stdout) as [{ pid: number }];
  const { port } = await rig.serve(silent);
  const user = `${process.env['USER'] ?? 'root'}@vps`;
  const other = await tunnel(...sshd.client.flags, user, `${await freePort()}:${port}`, '-d');
  assert.equal(other.status, 0, other.stderr);
  process.kill(pid, 'SIGSTOP');
  try {
    const [named, listed, stopped, added] = await Promise.all([
      tunnel('status', 'vps'),
      tunnel('ls', '--json'),
      tunnel('stop', 'vps'),
      tunnel('add', 'vps', '1:1'),
    ]);
    for (const { status, stderr } of [named, listed, stopped, added]) {
      assert.equal(status, 1);
      assert.match(
        stderr,
        /The session vps is there, and its process does not answer\n.*hangs, or is stopped/,
      );
    }
    const { stdout } = await tunnel('ls', '--json');
    const names = (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name);
    assert.deepEqual(names, [user]);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  assert.equal((await tunnel('status', 'vps')).status, 0);
});

test('the control socket is for the user alone', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  await open(started);
  assert.equal(statSync(started.socket).mode & 0o777, 0o600);
  assert.equal(statSync(join(started.socket, '..')).mode & 0o777, 0o700);
});

test('a directory that others may enter, or that is somebody else’s, is refused with 2', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const dir = started.rig.env['TUNNEL_RUNTIME_DIR'] ?? '';
  chmodSync(dir, 0o755);
  const wide = await open(started);
  assert.equal(wide.status, 2);
  assert.match(wide.stderr, /others may enter it: its mode is 755/);
  chmodSync(dir, 0o700);
  if (!needs(t, 'root')) return;
  chownSync(dir, 12_345, 12_345);
  const foreign = await open(started);
  assert.equal(foreign.status, 2);
  assert.match(foreign.stderr, /it belongs to user 12345/);
});

test('a directory in which nothing can be made is said, with 1, in the foreground and with -d', async (t) => {
  const started = await start(t);
  if (started === undefined || !needs(t, 'root')) return;
  const { rig, sshd, specs } = started;
  const fixed = rig.folder('fixed');
  chmodSync(fixed, 0o700);
  const mounted = await rig.run(['mount', '-t', 'tmpfs', '-o', 'ro,mode=700', 'tmpfs', fixed]);
  assert.equal(mounted.status, 0, mounted.stderr);
  try {
    const env = { ...rig.env, TUNNEL_RUNTIME_DIR: fixed };
    for (const flags of [[], ['-d']]) {
      const line = [process.execPath, binary, ...sshd.client.flags, 'vps', ...specs, ...flags];
      const { status, stderr } = await rig.run(line, { env, cwd: rig.dir });
      assert.equal(status, 1, stderr);
      assert.match(stderr, /✖ Cannot make the control socket .*EROFS/);
    }
  } finally {
    await rig.run(['umount', '-l', fixed]);
  }
});

test('a full disk for logs is said once, and the session goes on', async (t) => {
  const started = await start(t);
  if (started === undefined || !needs(t, 'root')) return;
  const { rig, sshd, specs } = started;
  const full = join(rig.dir, 'full');
  mkdirSync(full, { mode: 0o700 });
  const mounted = await rig.run(['mount', '-t', 'tmpfs', '-o', 'size=8k,mode=700', 'tmpfs', full]);
  assert.equal(mounted.status, 0, mounted.stderr);
  try {
    await rig.run(['sh', '-c', `head -c 100000 /dev/zero > ${full}/filler`]);
    const env = { ...rig.env, TUNNEL_STATE_DIR: full };
    const tunnel = await rig.tunnel([...sshd.client.flags, 'vps', ...specs], { env });
    await tunnel.waitFor(/! The log of vps cannot be written: .*ENOSPC/);
    await tunnel.waitFor(/http:\/\/localhost/);
    assert.equal(tunnel.stderr.match(/cannot be written/g)?.length, 1);
    await tunnel.interrupt();
  } finally {
    await rig.run(['umount', '-l', full]);
    rmSync(full, { recursive: true, force: true });
  }
});

/** Status and body of a request with curl. */
async function curl({ rig, socket }: Started, path: string, ...args: string[]): Promise<[number, unknown]> {
  const command = ['curl', '-s', '--unix-socket', socket, '-w', '\n%{http_code}', `http://localhost${path}`];
  const { stdout } = await rig.run([...command, ...args]);
  const [body = '', status] = stdout.trim().split(/\n(?=\d+$)/);
  return [Number(status), JSON.parse(body)];
}

test('curl is a client: status, forwards, retry, stop', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  await open(started);
  const [status, body] = await curl(started, '/v1/status');
  assert.equal(status, 200);
  assert.equal((body as { state: string }).state, 'ready');
  const forwards = JSON.stringify({
    forwards: [{ spec: `${await freePort()}:80` }, { kind: 'dynamic', spec: 'auto' }],
  });
  assert.equal((await curl(started, '/v1/forwards', '-d', forwards))[0], 200);
  assert.equal((await curl(started, '/v1/forwards', '-X', 'DELETE', '-d', forwards))[0], 200);
  assert.equal((await curl(started, '/v1/retry', '-d', ''))[0], 200);
  assert.equal((await curl(started, '/v1/stop', '-d', '{"graceMs":0}'))[0], 202);
  await until('it is gone', () => !existsSync(started.socket));
});

const badRequests: [path: string, args: string[], status: number, said: RegExp][] = [
  ['/v1/nothing', [], 404, /there are: \/v1\/status/],
  ['/v1/status', ['-d', '{}'], 405, /takes GET/],
  ['/v1/__proto__', [], 404, /__proto__/],
  ['/v1/forwards', ['-d', 'garbage'], 400, /not JSON/],
  ['/v1/forwards', ['-d', '[]'], 400, /not a JSON object/],
  ['/v1/forwards', ['-d', '{}'], 400, /^forwards: /],
  ['/v1/forwards', ['-d', '{"forwards":[]}'], 400, /^forwards: /],
  ['/v1/forwards', ['-d', '{"forwards":[7]}'], 400, /^forwards\[0\]: /],
  ['/v1/forwards', ['-d', '{"forwards":[{"spec":7}]}'], 400, /^forwards\[0\]\.spec: /],
  ['/v1/forwards', ['-d', '{"forwards":[{"spec":"x:y:z"}]}'], 400, /x:y:z/],
  ['/v1/forwards', ['-d', '{"forwards":[{"kind":"up","spec":"1"}]}'], 400, /^forwards\[0\]\.kind: /],
  ['/v1/forwards', ['-d', '{"forwards":[{"spec":"1","run":"id"}]}'], 400, /^forwards\[0\]\.run: /],
  ['/v1/forwards', ['-d', '{"forwards":[{"spec":"./a.sock:/b.sock"}]}'], 400, /absolute/],
  ['/v1/forwards', ['-d', '{"forwards":[{"spec":"1"}],"lease":7}'], 400, /^lease: /],
  ['/v1/forwards', ['-d', '{"forwards":[{"spec":"1:1"}],"lease":"x"}'], 400, /lease x/],
  ['/v1/forwards', ['-X', 'DELETE', '-d', '{"forwards":[{"spec":"1:1"}]}'], 404, /no forward 1/],
  ['/v1/forwards', ['-d', '{"forwards":[{"kind":"http","spec":"18087"}]}'], 400, /^routes: /],
  ['/v1/forwards', ['-d', '{"forwards":[{"kind":"http","spec":"18087","routes":[]}]}'], 400, /^routes: /],
  [
    '/v1/forwards',
    ['-d', '{"forwards":[{"kind":"http","spec":"18087","routes":["/=1"],"log":{"queries":"yes"}}]}'],
    400,
    /^log\.queries: /,
  ],
  [
    '/v1/forwards',
    ['-d', '{"forwards":[{"kind":"http","spec":"18087","routes":["/=1"],"as":"x y\\r\\nA: b"}]}'],
    400,
    /^as: .* is not a host name/,
  ],
  [
    '/v1/forwards',
    ['-d', '{"forwards":[{"kind":"http","spec":"18087","routes":["/=1"],"allowHosts":["a/b"]}]}'],
    400,
    /^allowHosts\[0\]: "a\/b"/,
  ],
  [
    '/v1/forwards',
    ['-d', '{"forwards":[{"kind":"http","spec":"18087","routes":["/=1"],"allowOrigins":["evil"]}]}'],
    400,
    /^allowOrigins\[0\]: "evil"/,
  ],
  ['/v1/retry', ['-d', '{"now":true}'], 400, /^now: /],
  [
    '/v1/forwards',
    ['-X', 'DELETE', '-d', '{"forwards":[{"kind":"http","spec":"18087"}]}'],
    404,
    /no forward --http 18087/,
  ],
  ['/v1/stop', ['-d', '{"graceMs":-1}'], 400, /^graceMs: /],
  ['/v1/stop', ['-d', '{"graceMs":"1"}'], 400, /^graceMs: /],
  ['/v1/stop', ['-d', '{"now":true}'], 400, /^now: /],
];

test('a request that is wrong is answered with what is wrong, and the session goes on', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  await open(started);
  for (const [path, args, expected, said] of badRequests) {
    const [status, body] = await curl(started, path, ...args);
    assert.equal(status, expected, `${path} ${args.join(' ')}`);
    assert.match((body as { error: { message: string } }).error.message, said);
  }
  assert.equal((await started.tunnel('status', 'vps')).status, 0);
});

test('garbage, half a request, 100 MB and nothing are answered or ended, and the session goes on', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  await open(started);
  const { rig, socket } = started;
  const garbage = connect({ path: socket }).on('error', () => undefined);
  garbage.end('\u0000\u0001garbage\r\n\r\n');
  const half = connect({ path: socket }).on('error', () => undefined);
  half.write('POST /v1/stop HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"gra');
  const nothing = connect({ path: socket }).on('error', () => undefined);
  const ended = Promise.all([garbage, half, nothing].map((client) => once(client.resume(), 'close')));
  const [status] = await curl(
    started,
    '/v1/forwards',
    '-H',
    'Expect:',
    '--data-binary',
    `@${await zeros(rig)}`,
  );
  assert.equal(status, 413);
  assert.equal((await started.tunnel('status', 'vps')).status, 0);
  await ended;
  assert.equal((await started.tunnel('status', 'vps')).status, 0);
});

async function zeros(rig: Rig): Promise<string> {
  const file = join(rig.dir, 'zeros');
  await rig.run(['truncate', '-s', '100M', file]);
  return file;
}

test('an event stream that is not read is cut off, and its forwards go', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  await open(started);
  const { rig, socket, specs, tunnel } = started;
  const client = connect({ path: socket }).on('error', () => undefined);
  client.write('GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n');
  const [head] = (await once(client, 'data')) as [Buffer];
  const lease = /tunnel-lease: (\S+)/i.exec(head.toString())?.[1];
  client.pause();
  const port = await freePort();
  const { port: target } = await rig.serve(silent);
  const body = JSON.stringify({ forwards: [{ spec: `${port}:${target}` }], lease });
  assert.equal((await curl(started, '/v1/forwards', '-d', body))[0], 200);
  const local = Number(specs[0]?.split(':')[0]);
  await until(
    'it is cut off',
    async () => {
      await Promise.all(
        Array.from({ length: 200 }, async () => {
          const socket = connect(local, '127.0.0.1').end('x');
          await once(socket.resume(), 'close');
        }),
      );
      const [session] = JSON.parse((await tunnel('ls', '--json')).stdout) as [{ forwards: unknown[] }];
      return session.forwards.length === 1;
    },
    { timeoutMs: 120_000 },
  );
  client.destroy();
  assert.deepEqual(readdirSync(join(socket, '..')), ['vps.sock']);
});
