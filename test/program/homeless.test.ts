// What a person meets whose home is missing or read-only, as in many containers, or who has no OpenSSH.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import type { RunResult } from '../rig/run.ts';
import { binary } from '../rig/tunnel.ts';
import type { TestUser } from '../rig/users.ts';

interface Homeless {
  readonly rig: Rig;
  readonly user: TestUser;
  /** The home as our messages have it; everything above it is there. */
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  readonly tunnel: (...args: readonly string[]) => Promise<RunResult>;
}

/** A plain user's `tunnel`, with nothing set but a home in which nothing can be made. */
async function start(t: TestContext, kind: 'missing' | 'read-only'): Promise<Homeless> {
  const rig = await startRig(t);
  const user = await rig.user();
  const home = kind === 'missing' ? join(rig.dir, 'no home') : user.home;
  chmodSync(user.home, 0o555);
  const { PATH, LANG } = rig.env;
  const env: NodeJS.ProcessEnv = { PATH, LANG, HOME: home, SHELL: '/bin/bash' };
  const command = [...user.prefix, process.execPath, binary];
  return { rig, user, home, env, tunnel: (...args) => rig.run([...command, ...args], { env, cwd: '/' }) };
}

for (const kind of ['missing', 'read-only'] as const) {
  test(`completion install, with a ${kind} home, says how to have it elsewhere`, async (t) => {
    if (!needs(t, 'root')) return;
    const { home, tunnel } = await start(t, kind);
    const { status, stdout, stderr } = await tunnel('completion', 'install');
    assert.equal(status, 2, stderr);
    assert.equal(stdout, '');
    assert.ok(
      stderr.startsWith(
        `✖ ${home}/.local/share/bash-completion/completions/tunnel cannot be used: EACCES: permission denied`,
      ),
      stderr,
    );
    assert.match(stderr, /^ {2}To have it elsewhere: tunnel completion bash > FILE$/m);
  });

  test(`service install, with a ${kind} home, says what can be done; --print needs none`, async (t) => {
    if (!needs(t, 'root', 'linux')) return;
    const { home, tunnel } = await start(t, kind);
    const { status, stdout, stderr } = await tunnel('service', 'install', 'vps', '8081');
    assert.equal(status, 2, stderr);
    assert.equal(stdout, '');
    assert.ok(
      stderr.startsWith(`✖ ${home}/.config/systemd/user/tunnel-vps.service cannot be used: `),
      stderr,
    );
    assert.match(stderr, /^ {2}.*add --print$/m);
    const printed = await tunnel('service', 'install', '--print', 'vps', '8081');
    assert.equal(printed.status, 0, printed.stderr);
    assert.match(printed.stdout, /^ExecStart=/m);
  });

  test(`doctor, with a ${kind} home, finds the directories that cannot be made`, async (t) => {
    if (!needs(t, 'root')) return;
    const { rig, tunnel, env } = await start(t, kind);
    const { status, stdout } = await tunnel('doctor');
    assert.equal(status, 1, stdout);
    assert.match(stdout, /^✖ The directory for control sockets, .* may not be written to\b/m);
    assert.match(stdout, /^ {2}Choose another: export TUNNEL_RUNTIME_DIR=DIRECTORY$/m);
    assert.match(stdout, /^⚠ The directory for configuration, .* may not be written to\b/m);
    assert.match(stdout, /^⚠ The directory for state, .* may not be written to\b/m);

    const place = rig.folder('run');
    chmodSync(place, 0o777);
    env['TUNNEL_RUNTIME_DIR'] = join(place, 'run');
    const advised = await tunnel('doctor');
    assert.equal(advised.status, 0, advised.stdout);
  });
}

test('a start-up file that cannot be written is named, with the line that it lacks', async (t) => {
  if (!needs(t, 'root')) return;
  const { rig, home, env, tunnel } = await start(t, 'read-only');
  const data = rig.folder('data');
  chmodSync(data, 0o777);
  env['XDG_DATA_HOME'] = data;
  const { status, stderr } = await tunnel('completion', 'install', 'bash');
  assert.equal(status, 2);
  assert.ok(stderr.startsWith(`✖ ${home}/.bashrc cannot be used: EACCES`), stderr);
  assert.match(
    stderr,
    /bash reads it at its start, this line loads it: \[ ! -r .*\/tunnel # tunnel completion$/m,
  );
});

test('service uninstall says which file it could not remove', async (t) => {
  if (!needs(t, 'root', 'linux')) return;
  const { home, tunnel } = await start(t, 'read-only');
  const units = join(home, '.config/systemd/user');
  mkdirSync(units, { recursive: true });
  writeFileSync(join(units, 'tunnel-vps.service'), '[Unit]\n');
  const { status, stderr } = await tunnel('service', 'uninstall', 'vps');
  assert.equal(status, 2);
  assert.match(stderr, /^✖ .*\/tunnel-vps\.service cannot be used: EACCES.*\n {2}Remove it by hand\.$/m);
});

test('an empty HOME is no home: nothing is looked for below the working directory', async (t) => {
  if (!needs(t, 'root')) return;
  const { rig, env, tunnel } = await start(t, 'read-only');
  env['HOME'] = '';
  const { stdout } = await tunnel('doctor');
  const places = [...stdout.matchAll(/The directory for [\w ]+, (\S+), cannot be made/g)].map(
    ([, path]) => path,
  );
  assert.equal(places.length, 3, stdout);
  for (const place of places) assert.ok(place?.startsWith(`${rig.dir}/`), place);
});

test('doctor tells an OpenSSH that is not there from one that does not run', async (t) => {
  const rig = await startRig(t);
  const bin = rig.folder('bin');
  const openssh = async (): Promise<string | undefined> => {
    const command = [process.execPath, binary, 'doctor'];
    const { stdout } = await rig.run(command, { env: { ...rig.env, PATH: bin } });
    return /^⚠ OpenSSH's client (.*?)\./m.exec(stdout)?.[1];
  };
  assert.equal(await openssh(), 'is not installed');
  writeFileSync(join(bin, 'ssh'), '#!/bin/sh\necho "No user exists for uid 1234" >&2; exit 255\n', {
    mode: 0o755,
  });
  assert.equal(await openssh(), 'does not run here: No user exists for uid 1234');
});

test('doctor says on a line of its own where the host key could have been kept', async (t) => {
  if (!needs(t, 'root', 'sshd')) return;
  const { rig, user, home, tunnel } = await start(t, 'missing');
  const sshd = await rig.sshd();
  chownSync(sshd.identity.file, user.uid, user.gid);
  const config = ['StrictHostKeyChecking accept-new', `UserKnownHostsFile "${home}/known_hosts"`];
  const { flags } = sshd.writeClient({ name: 'stranger', known: false, config });
  const { stdout } = await tunnel('doctor', ...flags, 'stranger');
  assert.match(stdout, /^✔ Logged in as /m);
  assert.match(
    stdout,
    /^⚠ Cannot add the host key of .*\n {2}Make it a file that you can write, or name another one: /m,
  );
});

test('a user without an account, as whom ssh does not run, is told how to do without it', async (t) => {
  if (!needs(t, 'root', 'ssh')) return;
  const rig = await startRig(t);
  const stranger = ['setpriv', '--reuid=54321', '--regid=54321', '--clear-groups', '--'];
  const command = [
    ...stranger,
    process.execPath,
    binary,
    'scan',
    '-F',
    'none',
    '--transport',
    'openssh',
    'vps',
  ];
  const { PATH, LANG } = rig.env;
  const { status, stderr } = await rig.run(command, { env: { PATH, LANG }, cwd: '/' });
  assert.equal(status, 255);
  assert.match(stderr, /^✖ ssh does not run as user 54321, .*\n {2}.*--transport ssh2$/m);
});
