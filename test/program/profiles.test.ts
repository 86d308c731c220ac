import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import type { RunResult } from '../rig/run.ts';
import { echo, freePort } from '../rig/servers.ts';
import type { Sshd } from '../rig/sshd.ts';
import { binary } from '../rig/tunnel.ts';
import { until } from '../rig/until.ts';

type Run = (...args: string[]) => Promise<RunResult>;

interface Started {
  readonly rig: Rig;
  readonly sshd: Sshd;
  readonly target: number;
  readonly tunnel: Run;
  /** As `tunnel`, and it has to work. */
  readonly ok: Run;
}

function runner(rig: Rig, env: NodeJS.ProcessEnv = rig.env): { tunnel: Run; ok: Run } {
  const tunnel: Run = (...args) =>
    rig.run([process.execPath, binary, ...args], { cwd: rig.env['HOME'] ?? '/', env });
  const ok: Run = async (...args) => {
    const result = await tunnel(...args);
    assert.equal(result.status, 0, result.stderr);
    return result;
  };
  return { tunnel, ok };
}

async function start(t: TestContext): Promise<Started | undefined> {
  if (!needs(t, 'sshd')) return undefined;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const { port: target } = await rig.serve(echo);
  return { rig, sshd, target, ...runner(rig) };
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

function profiles(rig: Rig): Record<string, unknown> {
  const file = readFileSync(join(rig.env['TUNNEL_CONFIG_DIR'] ?? '', 'profiles.json'), 'utf8');
  return (JSON.parse(file) as { profiles: Record<string, unknown> }).profiles;
}

test('what is saved is opened by its name, added to, and stopped by its name', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd, target, ok } = started;
  const [port, another] = [await freePort(), await freePort()];
  const saved = await ok('save', 'work', ...sshd.client.flags, 'vps', `${port}:${target}`, '--hold', '3s');
  assert.equal(saved.stdout, 'Saved the profile work. To open it: tunnel work\n');
  assert.deepEqual(profiles(rig), {
    work: {
      host: 'vps',
      forwards: [`${port}:${target}`],
      options: { config: sshd.client.configFile, hold: '3s' },
    },
  });
  assert.match((await ok('work', '-d')).stdout, new RegExp(`http://localhost:${port}`));
  assert.ok(await answers(port));
  await ok('work', `${another}:${target}`, '-d');
  assert.ok(await answers(another));
  assert.equal((await ok('status', 'work')).status, 0);
  assert.equal((await ok('stop', 'work')).stdout, 'Stopped vps\n');
  assert.equal(await answers(port), false);
});

test('what a session has open is saved with the flags that it was opened with', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd, target, tunnel, ok } = started;
  assert.match((await tunnel('save', 'vps')).stderr, /There is no session vps to keep/);
  const [port, another, socks] = [await freePort(), await freePort(), await freePort()];
  const vpn = ['--wireguard', '192.0.2.1', '--standby'];
  await ok(...sshd.client.flags, 'vps', `${port}:${target}`, '-o', 'ConnectTimeout=9', ...vpn, '-d');
  await ok('add', 'vps', `${another}:${target}`, '-D', String(socks));
  await ok('save', 'vps', '--description', 'all of it');
  assert.deepEqual(profiles(rig)['vps'], {
    description: 'all of it',
    forwards: [`${port}:${target}`, `${another}:${target}`, `-D ${socks}`],
    wireguard: '192.0.2.1',
    standby: true,
    options: { config: sshd.client.configFile, ssh: ['ConnectTimeout=9'] },
  });
  await ok('stop', 'vps');
  await ok('vps', '-d');
  assert.ok((await answers(port)) && (await answers(another)));
  await ok('save', 'vps', ...sshd.client.flags, `${port}:${target}`);
  const { description, forwards } = profiles(rig)['vps'] as { description: string; forwards: string[] };
  assert.deepEqual([description, forwards], ['all of it', [`${port}:${target}`]]);
});

test('several hosts of a profile open side by side, and one that fails leaves the others', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd, target, tunnel, ok } = started;
  const [one, two] = [await freePort(), await freePort()];
  const second = sshd.writeClient({ name: 'second' });
  const stranger = sshd.writeClient({ name: 'stranger', known: false });
  const session = (host: string, config: string, port: number) => ({
    host,
    forwards: [`${port}:${target}`],
    options: { config },
  });
  const both = [session('vps', sshd.client.configFile, one), session('second', second.configFile, two)];
  const file = join(rig.dir, 'import.json');
  const bad = [session('stranger', stranger.configFile, await freePort()), ...both];
  writeFileSync(
    file,
    JSON.stringify({ version: 1, profiles: { all: { sessions: both }, most: { sessions: bad } } }),
  );
  await ok('profile', 'import', file);

  const running = await rig.tunnel(['all', '--json']);
  for (const port of [one, two]) {
    await running.waitForEvent('forward', ({ url }) => url === `http://localhost:${port}`);
    assert.ok(await answers(port));
  }
  assert.equal((await running.interrupt('SIGINT')).status, 130);
  assert.deepEqual(
    running.events
      .filter(({ event }) => event === 'closed')
      .map(({ host }) => String(host))
      .toSorted((a, b) => (a < b ? -1 : 1)),
    ['second', 'vps'],
  );

  const most = await rig.tunnel(['most', '--json']);
  await most.waitFor(/! stranger: .*host key/i);
  await until('the others are open', async () => (await answers(one)) && (await answers(two)));
  assert.equal((await most.interrupt('SIGTERM')).status, 143);

  await ok('all', '-d');
  assert.ok((await answers(one)) && (await answers(two)));
  assert.match((await tunnel('all', '8081')).stderr, /has several hosts.*\n.*Name one: vps, second/);
  assert.equal((await ok('stop', 'all')).stdout.split('\n').length, 3);
});

test('profiles are shown, edited, renamed, taken elsewhere and removed', async (t) => {
  const rig = await startRig(t);
  const { tunnel, ok } = runner(rig);
  await ok('save', 'work', 'deploy@vps', '8081', '--description', 'the office', '--tag', 'web', '--tag', 'x');
  await ok('save', 'home', '3000');
  assert.equal(
    (await ok('profile', 'ls')).stdout,
    'work  deploy@vps: 8081 · the office #web #x\nhome  home: 3000\n',
  );
  const work = { description: 'the office', tags: ['web', 'x'], host: 'deploy@vps', forwards: ['8081'] };
  assert.deepEqual(JSON.parse((await ok('profile', 'show', 'work')).stdout), work);
  const wrong = await tunnel('profile', 'show', 'wrok');
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /✖ There is no profile "wrok"\n {2}Did you mean work\?/);

  await ok('profile', 'rename', 'home', 'flat');
  assert.deepEqual(profiles(rig)['flat'], { forwards: ['3000'], host: 'home' });
  assert.equal((await tunnel('profile', 'rename', 'flat', 'work')).status, 2);

  const { stdout: exported } = await ok('profile', 'export');
  await ok('profile', 'rm', 'work', 'flat');
  assert.deepEqual(profiles(rig), {});
  const file = join(rig.dir, 'exported.json');
  writeFileSync(file, exported);
  await ok('profile', 'import', file);
  assert.deepEqual(profiles(rig)['work'], work);
  const again = await tunnel('profile', 'import', file);
  assert.equal(again.status, 2);
  assert.match(again.stderr, /work, flat\n.*--force/);
  await ok('profile', 'import', file, '--force');
  writeFileSync(file, '{"version": 1, "profiles": {"x": {"hots": "a"}}}');
  assert.match(
    (await tunnel('profile', 'import', file)).stderr,
    /exported\.json: profiles\.x\.hots is not known/,
  );

  const editor = join(rig.dir, 'editor');
  const edit = async (script: string): Promise<RunResult> => {
    writeFileSync(editor, `#!/bin/sh\n${script}\n`);
    chmodSync(editor, 0o755);
    return await runner(rig, { ...rig.env, EDITOR: `${editor} -x` }).tunnel('profile', 'edit', 'work');
  };
  const good = await edit(`grep -q schema "$2" && sed -i 's/8081/8082/' "$2"`);
  assert.equal(good.status, 0, good.stderr);
  assert.deepEqual(profiles(rig)['work'], { ...work, forwards: ['8082'] });
  const bad = await edit(`sed -i 's/forwards/forwrads/' "$2"`);
  assert.equal(bad.status, 2);
  assert.match(
    bad.stderr,
    /forwrads is not known\n {2}Did you mean forwards\?\n.*What you wrote is in (\S+)/,
  );
  const failed = await edit('exit 3');
  assert.match(failed.stderr, /ended with 3/);
  assert.deepEqual(profiles(rig)['work'], { ...work, forwards: ['8082'] });
});

test('a profile is not called like a command, a port or a flag', async (t) => {
  const rig = await startRig(t);
  const { tunnel } = runner(rig);
  for (const name of ['stop', '8081', 'a/b', 'a b']) {
    const { status, stderr } = await tunnel('save', name, 'vps', '8081');
    assert.equal(status, 2, name);
    assert.match(stderr, /would not be found|cannot be the name/);
  }
});

test("a damaged file of profiles is moved aside, told, and in nobody's way", async (t) => {
  const rig = await startRig(t);
  const { ok } = runner(rig);
  const path = join(rig.env['TUNNEL_CONFIG_DIR'] ?? '', 'profiles.json');
  writeFileSync(path, '{"version": 1', { mode: 0o600 });
  const { stderr } = await ok('explain', 'vps');
  assert.match(stderr, /^! \S+profiles\.json is damaged: .*\n {2}It was moved to \S+damaged/);
  assert.equal((await ok('explain', 'vps')).stderr, '');
});

interface Value {
  readonly name: string;
  readonly value: string;
  readonly source: string;
}

test('flags count before the environment, the project, the profile and ssh_config', async (t) => {
  const rig = await startRig(t);
  const { ok } = runner(rig);
  const config = join(rig.dir, 'ssh_config');
  writeFileSync(config, 'Host vps\n  User fromconfig\n  Port 2200\n  LocalForward 9001 localhost:1\n');
  const project = rig.folder('project');
  const path = join(project, 'tunnel.json');
  const explain = async (args: string[], env: NodeJS.ProcessEnv = {}, cwd = rig.dir): Promise<Value[]> => {
    const result = await rig.run(
      [process.execPath, binary, 'explain', '--json', '-F', config, 'vps', ...args],
      {
        env: { ...rig.env, ...env },
        cwd,
      },
    );
    assert.equal(result.status, 0, result.stderr);
    return (JSON.parse(result.stdout) as { values: Value[] }).values;
  };
  const of = (values: readonly Value[], name: string) =>
    values.filter((value) => value.name === name).map(({ value, source }) => [value, source]);

  const bare = await explain([]);
  assert.deepEqual(of(bare, 'forward'), [['9001:1', 'ssh_config']]);
  assert.deepEqual(of(bare, 'user'), [['fromconfig', 'ssh_config']]);
  assert.deepEqual(of(bare, 'hold'), [['15s', 'default']]);

  await ok(
    'save',
    'vps',
    '9002:1',
    '-l',
    'fromprofile',
    '--hold',
    '2s',
    '--retry-dial',
    '2s',
    '--transport',
    'ssh2',
    '--wait',
  );
  const profile = await explain([]);
  assert.deepEqual(of(profile, 'forward'), [['9002:1', 'profile (vps)']]);
  assert.deepEqual(of(profile, 'user'), [['fromprofile', 'profile (vps)']]);
  assert.deepEqual(of(profile, 'port'), [['2200', 'ssh_config']]);
  assert.deepEqual(of(profile, 'wait'), [['yes', 'profile (vps)']]);

  const { trust, findProject } = await import('../../src/config/project.ts');
  writeFileSync(path, '{"forwards": ["9003:1"]}');
  process.env['TUNNEL_CONFIG_DIR'] = rig.env['TUNNEL_CONFIG_DIR'];
  t.after(() => delete process.env['TUNNEL_CONFIG_DIR']);
  const found = findProject(project);
  assert.ok(found);
  await trust(found, () => undefined);
  const inProject = await explain([], {}, project);
  assert.deepEqual(of(inProject, 'forward'), [['9003:1', `project (${path})`]]);
  assert.deepEqual(of(inProject, 'user'), [['fromprofile', 'profile (vps)']]);

  const variables = {
    TUNNEL_HOLD: '3s',
    TUNNEL_RETRY_DIAL: '3s',
    TUNNEL_TRANSPORT: 'openssh',
    TUNNEL_RECONNECT: 'no',
    TUNNEL_WAIT: 'no',
  };
  const environment = await explain([], variables, project);
  assert.deepEqual(of(environment, 'hold'), [['3s', 'environment (TUNNEL_HOLD)']]);
  assert.deepEqual(of(environment, 'retry-dial'), [['3s', 'environment (TUNNEL_RETRY_DIAL)']]);
  assert.deepEqual(of(environment, 'transport'), [['openssh', 'environment (TUNNEL_TRANSPORT)']]);
  assert.deepEqual(of(environment, 'reconnect'), [['no', 'environment (TUNNEL_RECONNECT)']]);
  assert.deepEqual(of(environment, 'wait'), [['no', 'environment (TUNNEL_WAIT)']]);

  const typed = await explain(
    ['9004:1', '-l', 'typed', '--hold', '4s', '--transport', 'auto'],
    variables,
    project,
  );
  assert.deepEqual(of(typed, 'forward'), [['9004:1', 'command line']]);
  assert.deepEqual(of(typed, 'user'), [['typed', 'command line']]);
  assert.deepEqual(of(typed, 'hold'), [['4s', 'command line']]);
  assert.deepEqual(of(typed, 'transport'), [['auto', 'command line']]);
  assert.deepEqual(of(typed, 'retry-dial'), [['3s', 'environment (TUNNEL_RETRY_DIAL)']]);
});

for (const [name, value] of Object.entries({
  TUNNEL_HOLD: 'long',
  TUNNEL_RETRY_DIAL: '2 s',
  TUNNEL_TRANSPORT: 'ssh3',
  TUNNEL_RECONNECT: '1s',
  TUNNEL_WAIT: 'maybe',
})) {
  test(`${name}=${value} is refused by its name`, async (t) => {
    const rig = await startRig(t);
    const { status, stderr } = await runner(rig, { ...rig.env, [name]: value }).tunnel('explain', 'vps');
    assert.equal(status, 2);
    assert.ok(stderr.startsWith(`✖ ${name} "${value}" `), stderr);
  });
}

test('a misspelt command, host or profile is told', async (t) => {
  const rig = await startRig(t);
  const { tunnel, ok } = runner(rig);
  const config = join(rig.dir, 'ssh_config');
  writeFileSync(config, 'Host webserver statsu\n');
  await ok('save', 'office', 'vps', '8081');
  const hints: [string[], RegExp][] = [
    [['stauts'], /Did you mean the command tunnel status\?/],
    [['stpo', 'vps'], /Did you mean the command tunnel stop\?/],
    [['-F', config, 'webservr'], /Did you mean webserver\?/],
    [['offcie'], /Did you mean office\?/],
  ];
  for (const [line, hint] of hints) assert.match((await tunnel(...line)).stderr, hint);
  assert.doesNotMatch((await tunnel('-F', config, 'statsu')).stderr, /Did you mean/);
});
