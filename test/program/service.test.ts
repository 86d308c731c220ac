import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { launchd } from '../../src/cli/service/launchd.ts';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import type { RunResult } from '../rig/run.ts';
import { binary } from '../rig/tunnel.ts';

async function start(
  t: TestContext,
): Promise<{ rig: Rig; tunnel: (...args: string[]) => Promise<RunResult> }> {
  const rig = await startRig(t);
  // A systemctl that only writes down what it was asked: there is no systemd of a user in a test.
  const bin = rig.folder('bin');
  writeFileSync(join(bin, 'systemctl'), `#!/bin/sh\necho "$@" >> ${bin}/asked\n`, { mode: 0o755 });
  const env = { ...rig.env, PATH: `${bin}:${rig.env['PATH']}`, SYSTEMCTL_ASKED: join(bin, 'asked') };
  return { rig, tunnel: (...args) => rig.run([process.execPath, binary, ...args], { env, cwd: rig.dir }) };
}

test('the unit is one that systemd accepts, whatever is in its words', async (t) => {
  if (!needs(t, 'linux', 'systemd-analyze')) return;
  const { rig, tunnel } = await start(t);
  const awkward = [
    '-i',
    '/keys/100% "mine" $HOME \\n',
    '-o',
    'ServerAliveInterval=5',
    '8081',
    '3000:~/my app/app.sock',
  ];
  const { stdout, status, stderr } = await tunnel(
    'service',
    'install',
    '--print',
    'deploy@vps:2222',
    ...awkward,
  );
  assert.equal(status, 0, stderr);
  const unit = join(rig.dir, 'tunnel-test.service');
  writeFileSync(unit, stdout);
  const verdict = await rig.run(['systemd-analyze', 'verify', '--man=no', unit]);
  assert.equal(verdict.status, 0, verdict.stderr);
  assert.doesNotMatch(verdict.stderr, /tunnel-test/);
  assert.match(stdout, /"--identity=\/keys\/100%% \\"mine\\" \$\$HOME \\\\n"/);
  assert.match(stdout, /^ExecStart="[^"]+node[^"]*" "[^"]*bin\/tunnel\.js" "--wait"/m);
  assert.match(stdout, /^RestartPreventExitStatus=2 255$/m);
});

test('install writes the unit and starts it, again as well; uninstall takes it away, again as well', async (t) => {
  if (!needs(t, 'linux')) return;
  const { rig, tunnel } = await start(t);
  const unit = join(rig.env['HOME'] ?? '', '.config/systemd/user/tunnel-vps.service');
  for (const port of ['8081', '8082']) {
    const { status, stdout, stderr } = await tunnel('service', 'install', 'vps', port);
    assert.equal(status, 0, stderr);
    assert.ok(stdout.includes(`Installed ${unit}`));
    assert.ok(readFileSync(unit, 'utf8').includes(`"vps" "${port}"`));
  }
  assert.equal((await tunnel('service', 'status', 'vps')).status, 0);
  assert.equal((await tunnel('service', 'uninstall', 'vps')).status, 0);
  assert.ok(!existsSync(unit));
  const again = await tunnel('service', 'uninstall', 'vps');
  assert.equal(again.status, 0);
  assert.equal(again.stderr, 'There is no service for vps\n');
  assert.equal((await tunnel('service', 'status', 'vps')).status, 1);
  const asked = readFileSync(join(rig.dir, 'bin1', 'asked'), 'utf8');
  assert.match(asked, /--user enable --now tunnel-vps\.service\n--user restart tunnel-vps\.service/);
  assert.match(asked, /--user disable --now tunnel-vps\.service/);
});

test('where systemctl cannot be run the unit is there, and what to run is said', async (t) => {
  if (!needs(t, 'linux')) return;
  const { rig } = await start(t);
  const bin = rig.folder('bare');
  mkdirSync(join(bin, 'x'));
  const env = { ...rig.env, PATH: bin };
  const { status, stderr } = await rig.run(
    [process.execPath, binary, '-F', 'none', 'service', 'install', 'vps', '8081'],
    { env, cwd: rig.dir },
  );
  assert.equal(status, 1);
  assert.match(
    stderr,
    /could not be started: .*systemctl is not installed here\n {2}Start it with: systemctl --user/,
  );
});

test('wrong words are refused before anything is written', async (t) => {
  const { tunnel } = await start(t);
  for (const words of [
    [],
    ['install'],
    ['install', 'vps', '80:80:80:80:80'],
    ['frobnicate', 'vps'],
    ['uninstall'],
  ]) {
    const { status, stderr } = await tunnel('service', ...words);
    assert.equal(status, 2, words.join(' '));
    assert.match(stderr, /^✖ /);
  }
});

test('the agent for launchd holds the same words, escaped', () => {
  const file = launchd.file({
    session: 'deploy@vps',
    command: ['/usr/bin/node', '/tunnel.js', '--wait', 'a&b', '<c>'],
    directory: '/home/me',
    environment: { PATH: '/usr/bin' },
  });
  assert.match(file, /<string>a&amp;b<\/string>\n {4}<string>&lt;c&gt;<\/string>/);
  assert.match(file, /<key>Label<\/key><string>tunnel-vps\.tunnel-deploy@vps<\/string>/);
});
