import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from './requirements.ts';
import { startRig, type Rig } from './rig.ts';
import { freePort } from './servers.ts';
import type { Sshd } from './sshd.ts';
import { until } from './until.ts';

/** The real client's `ssh -NL`, listening. */
async function sshForward(rig: Rig, sshd: Sshd, local: number, target: string): Promise<void> {
  const forward = ['-o', 'ExitOnForwardFailure=yes', '-L', `127.0.0.1:${local}:${target}`];
  await rig.start(['ssh', ...sshd.client.flags, '-v', '-N', ...forward, 'vps'], {
    ready: (output) => output.includes('Entering interactive session'),
  });
}

test('ssh -L through the real sshd reaches the Caddy page, its /api and the socket of Gunicorn', async (t) => {
  if (!needs(t, 'sshd', 'gunicorn', 'caddy', 'curl')) return;
  const rig = await startRig(t);
  const dir = rig.folder('srv');
  const sshd = await rig.sshd({ relay: true });
  const gunicorn = await rig.gunicorn({ dir, name: 'visits' });
  const caddy = await rig.caddy({ dir });
  assert.equal(statSync(join(dir, 'app.sock')).mode & 0o777, 0o770);

  const [web, app] = [await freePort(), await freePort()];
  await sshForward(rig, sshd, web, `localhost:${caddy.port}`);
  await sshForward(rig, sshd, app, `${gunicorn.socket}`);

  const page = await rig.run(['curl', '-sf', `http://127.0.0.1:${web}/`]);
  assert.match(page.stdout, /<h1>Visits<\/h1>/);
  const frame = await rig.run(['curl', '-sf', `http://127.0.0.1:${web}/api/frame`]);
  assert.deepEqual(JSON.parse(frame.stdout), [
    { day: 'Mon', visits: 3, total: 3 },
    { day: 'Tue', visits: 5, total: 8 },
    { day: 'Wed', visits: 8, total: 16 },
  ]);
  const hello = await rig.run(['curl', '-sf', `http://127.0.0.1:${app}/hello`]);
  assert.equal((JSON.parse(hello.stdout) as { app: string }).app, 'visits');
  assert.equal(sshd.relay?.total, 2);
  assert.match(sshd.log(), /Accepted publickey/);
});

test('the apps hash what they send and what they get', async (t) => {
  if (!needs(t, 'gunicorn', 'curl')) return;
  const rig = await startRig(t);
  const { socket } = await rig.gunicorn();
  const curl = ['curl', '-sf', '--unix-socket', `${socket}`];
  const bytes = await rig.run([...curl, '-D', join(rig.dir, 'headers'), 'http://app/bytes/100001']);
  assert.equal(bytes.bytes.length, 100_001);
  const sent = await rig.run([...curl, '--data-binary', '@-', 'http://app/sha256'], { input: bytes.bytes });
  const { length, sha256 } = JSON.parse(sent.stdout) as { length: number; sha256: string };
  assert.equal(length, 100_001);
  assert.match(readFileSync(join(rig.dir, 'headers'), 'utf8'), new RegExp(`x-sha256: ${sha256}`, 'i'));
});

test('what sshd runs has a home that is not the one of the person who runs the tests', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const { stdout } = await rig.run(['ssh', ...sshd.client.flags, 'vps', 'echo "$HOME"']);
  assert.equal(stdout, `${sshd.home}\n`);
});

test('lines of a test win over the ones of the rig, a Match among them', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd({ config: ['LogLevel DEBUG', 'Match all', '  ForceCommand echo forced'] });
  const { stdout } = await rig.run(['ssh', ...sshd.client.flags, 'vps', 'echo free']);
  assert.equal(stdout, 'forced\n');
  assert.match(sshd.log(), /debug1:/);
});

test('a restarted sshd with new host keys is refused by a client that knew the old ones', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd({ hostKeys: ['ed25519', 'ecdsa'] });
  const login = ['ssh', ...sshd.client.flags, '-o', 'BatchMode=yes', 'vps', 'true'];
  assert.equal((await rig.run(login)).status, 0);
  await sshd.restart({ newHostKeys: true });
  const refused = await rig.run(login);
  assert.equal(refused.status, 255);
  assert.match(refused.stderr, /IDENTIFICATION HAS CHANGED/);
  assert.ok(refused.stderr.includes(sshd.hostKeys[0]?.fingerprint ?? 'no key'));
});

test('a client without known hosts is refused where nobody can be asked', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const stranger = sshd.writeClient({ name: 'stranger', known: false });
  const { status, stderr } = await rig.run([
    'ssh',
    ...stranger.flags,
    '-o',
    'BatchMode=yes',
    'stranger',
    'true',
  ]);
  assert.equal(status, 255);
  assert.match(stderr, /Host key verification failed/);
});

test('a user of the rig logs in, is in the groups that were asked for, and is gone afterwards', async (t) => {
  if (!needs(t, 'sshd', 'root')) return;
  const rig = await startRig(t);
  const app = await rig.user();
  const deploy = await rig.user({ groups: [app.name] });
  const sshd = await rig.sshd({ user: deploy });
  const { stdout } = await rig.run(['ssh', ...sshd.client.flags, 'vps', 'id -un; id -Gn; pwd']);
  assert.equal(stdout, `${deploy.name}\n${deploy.name} ${app.name}\n${deploy.home}\n`);
  await rig.stop();
  assert.equal((await rig.run(['id', deploy.name], { cwd: '/' })).status, 1);
});

test('Gunicorn as another user makes a socket that only the members of its group may open', async (t) => {
  if (!needs(t, 'gunicorn', 'curl', 'root')) return;
  const rig = await startRig(t);
  const app = await rig.user();
  const [stranger, member] = [await rig.user(), await rig.user({ groups: [app.name] })];
  const { socket } = await rig.gunicorn({ user: app });
  const curl = ['curl', '-s', '--unix-socket', `${socket}`, 'http://app/hello'];
  assert.equal((await rig.run([...stranger.prefix, ...curl])).status, 7);
  const hello = await rig.run([...member.prefix, ...curl]);
  assert.equal((JSON.parse(hello.stdout) as { user: string }).user, app.name);
});

test('a machine has ports and host names of its own, and its sshd is reached through the relay', async (t) => {
  if (!needs(t, 'sshd', 'caddy', 'curl', 'netns')) return;
  const rig = await startRig(t);
  const machine = await rig.machine({ hosts: { otherhost: '127.0.0.2' } });
  const sshd = await rig.sshd({ on: machine, port: 22 });
  const caddy = await rig.caddy({ on: machine, port: await freePort(), proxies: {} });
  await sshForward(rig, sshd, caddy.port, `localhost:${caddy.port}`);
  const page = await rig.run(['curl', '-sf', `http://127.0.0.1:${caddy.port}/`]);
  assert.match(page.stdout, /Visits/);
  const { stdout } = await rig.run(['ssh', ...sshd.client.flags, 'vps', 'getent hosts otherhost']);
  assert.match(stdout, /^127\.0\.0\.2 /);
  assert.equal((await rig.run(['getent', 'hosts', 'otherhost'])).status, 2);
  assert.equal(sshd.relay?.total, 2);
});

test('the rig ends sshd with its sessions and leaves no file, even if a start failed', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const login = await rig.start(['ssh', ...sshd.client.flags, 'vps', 'echo $$; exec sleep 1000'], {
    ready: (output) => /^\d+\n/.test(output),
  });
  const remote = Number(login.output);
  await assert.rejects(rig.sshd({ config: ['NoSuchKeyword yes'] }), /sshd did not start[^]*NoSuchKeyword/);
  assert.ok(isAlive(remote));

  await rig.stop();
  await until('both are gone', () => !isAlive(remote) && !isAlive(login.pid));
  assert.equal(existsSync(rig.dir), false);
});

test('a start that is under way when the test ends is torn down as well', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const starting = rig.sshd();
  await rig.stop();
  const { port } = await starting;
  await assert.rejects(once(connect(port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
