import assert from 'node:assert/strict';
import { readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { find, hasIpv6, needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import type { RunResult } from '../rig/run.ts';
import { freePort } from '../rig/servers.ts';
import type { Sshd } from '../rig/sshd.ts';
import { binary } from '../rig/tunnel.ts';

interface Found {
  readonly spec: string;
  readonly owner?: string;
  readonly process?: { readonly name: string };
  readonly access: string;
  readonly http?: { readonly title?: string; readonly server?: string; readonly status: number };
  readonly caddy: readonly string[];
  readonly mode?: string;
  readonly why?: string;
  readonly addresses?: readonly string[];
}

interface Document {
  readonly user: string;
  readonly source: string;
  readonly ports: readonly Found[];
  readonly sockets: readonly Found[];
  readonly folded: number;
  readonly unseen: readonly string[];
}

async function run(rig: Rig, ...args: string[]): Promise<RunResult> {
  return await rig.run([process.execPath, binary, ...args], { cwd: rig.env['HOME'] ?? rig.dir });
}

async function scan(rig: Rig, sshd: Sshd, ...flags: string[]): Promise<Document> {
  const result = await run(rig, 'scan', ...sshd.client.flags, '--json', ...flags, 'vps');
  assert.equal(result.status, 0, result.stderr);
  return JSON.parse(result.stdout) as Document;
}

function named(found: readonly Found[], spec: string): Found {
  const one = found.find((candidate) => candidate.spec === spec);
  assert.ok(one, `${spec} is not in ${found.map((other) => other.spec).join(' ')}`);
  return one;
}

/** A host with the apps of two users, Caddy in front of one of them, and what else there may be. */
async function populate(t: TestContext, { asRoot = false, shell = '/bin/sh' } = {}) {
  if (!needs(t, 'sshd', 'gunicorn', 'caddy', 'netns', 'ss', 'nc')) return undefined;
  const rig = await startRig(t);
  // What is found is asked, and must not be another test's.
  const on = await rig.machine();
  const [deploy, other] = [await rig.user({ shell }), await rig.user()];
  const sshd = await rig.sshd({ on, ...(!asRoot && { user: deploy }) });
  const own = await rig.gunicorn({ on, dir: join(deploy.home, 'app'), user: deploy });
  const foreign = await rig.gunicorn({ on, dir: rig.folder('foreign'), user: other });
  const web = await freePort();
  await rig.gunicorn({ on, bind: `127.0.0.1:${web}`, user: other });
  const proxies = { '/api/*': 'unix/app.sock', '/old/*': `localhost:${web}` };
  const caddy = await rig.caddy({ on, dir: own.dir, admin: true, proxies });
  const six = await freePort();
  if (hasIpv6()) await rig.start([...on.prefix, 'nc', '-6lk', '::1', String(six)]);
  return { rig, sshd, deploy, other, own, foreign, web, caddy, six };
}

test('scan lists the ports and sockets of a host to a plain user, and says what that user cannot see', async (t) => {
  const host = await populate(t);
  if (host === undefined) return;
  const { rig, sshd, deploy, other, foreign, web, caddy, six } = host;
  const { ports, sockets, ...found } = await scan(rig, sshd);
  assert.equal(found.user, deploy.name);
  assert.equal(found.source, 'ss');

  const own = named(sockets, '~/app/app.sock');
  assert.equal(own.owner, deploy.name);
  assert.equal(own.process?.name, 'gunicorn');
  assert.equal(own.access, 'yes');
  assert.equal(own.http?.title, 'Flask');

  const locked = named(sockets, foreign.socket ?? '');
  assert.equal(locked.owner, other.name);
  assert.equal(locked.access, 'no');
  assert.equal(locked.mode, 'srwxrwx---');
  assert.match(locked.why ?? '', /permission denied/);

  const flask = named(ports, `${web}`);
  assert.equal(flask.owner, other.name);
  assert.equal(flask.process, undefined);
  assert.match(flask.http?.server ?? '', /gunicorn/);

  const site = named(ports, `${caddy.port}`);
  assert.equal(site.http?.title, 'Visits');
  if (hasIpv6()) assert.deepEqual(named(ports, `${six}:[::1]:${six}`).addresses, ['::1']);
  assert.match(found.unseen.join(), /only root may see/);
});

test('scan as root names every process, and which site of Caddy leads where', async (t) => {
  const host = await populate(t, { asRoot: true });
  if (host === undefined) return;
  const { rig, sshd, own, foreign, web, caddy, other } = host;
  const { ports, sockets, unseen } = await scan(rig, sshd);
  assert.deepEqual(named(ports, `${caddy.port}`).caddy, ['site']);
  assert.equal(named(ports, `${caddy.port}`).process?.name, 'caddy');
  assert.deepEqual(named(ports, `${web}`).caddy, [`:${caddy.port} /old/*`]);
  assert.equal(named(ports, `${web}`).owner, other.name);
  const socket = named(sockets, own.socket ?? '');
  assert.match(socket.caddy.join(), new RegExp(`^:${caddy.port} /api/\\*`));
  assert.equal(named(sockets, foreign.socket ?? '').access, 'yes');
  assert.ok(!unseen.join().includes('only root'), unseen.join());

  const table = await run(rig, 'scan', ...sshd.client.flags, 'vps');
  for (const line of table.stdout.split('\n')) assert.ok(Array.from(line).length <= 80, line);
  assert.match(table.stdout, new RegExp(`^✔ ${caddy.port} .*caddy +"Visits" · Caddy site$`, 'm'));

  const file = join(rig.env['TUNNEL_STATE_DIR'] ?? '', 'scan', 'vps.json');
  const cache = JSON.parse(readFileSync(file, 'utf8')) as { version: number; time: string; specs: string[] };
  assert.equal(cache.version, 1);
  assert.ok(cache.specs.includes(`${caddy.port}`) && cache.specs.includes(own.socket ?? ''));
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

for (const name of ['tcsh', 'fish'] as const) {
  test(`scan sees the same where the login shell is ${name}`, async (t) => {
    if (!needs(t, name)) return;
    const host = await populate(t, { shell: find(name) ?? '' });
    if (host === undefined) return;
    const { rig, sshd, web } = host;
    const { sockets, ports } = await scan(rig, sshd);
    assert.equal(named(sockets, '~/app/app.sock').http?.title, 'Flask');
    assert.equal(named(ports, `${web}`).access, 'yes');
  });
}

test('scan reads /proc where there is no ss', async (t) => {
  if (!needs(t, 'sshd', 'gunicorn', 'netns')) return;
  const rig = await startRig(t);
  const on = await rig.machine();
  const deploy = await rig.user();
  const sshd = await rig.sshd({ on, user: deploy, config: [`SetEnv PATH=${pathWithoutSs(rig)}`] });
  await rig.gunicorn({ on, dir: join(deploy.home, 'app'), user: deploy });
  const port = await freePort();
  await rig.gunicorn({ on, bind: `127.0.0.1:${port}`, user: deploy });
  const { source, sockets, ports } = await scan(rig, sshd);
  assert.equal(source, 'proc');
  assert.equal(named(sockets, '~/app/app.sock').process?.name, 'gunicorn');
  assert.equal(named(ports, `${port}`).owner, deploy.name);
  assert.equal(named(ports, `${port}`).process?.name, 'gunicorn');
});

/** A folder with the programs that every system has. */
function pathWithoutSs(rig: Rig): string {
  const folder = rig.folder('bin');
  for (const name of 'sh id uname cat cut head grep sed sort ls find timeout'.split(' ')) {
    symlinkSync(find(name) ?? '', join(folder, name));
  }
  return folder;
}

test('scan tries the usual ports and Caddy where no command can be run', async (t) => {
  if (!needs(t, 'sshd', 'caddy', 'netns')) return;
  const rig = await startRig(t);
  const vps = await rig.machine();
  const user = await rig.user({ shell: '/bin/false' });
  const sshd = await rig.sshd({ on: vps, user });
  await rig.caddy({ on: vps, port: 8081, proxies: {}, adminAddress: 'localhost:2019' });
  await rig.start([...vps.prefix, 'nc', '-lk', '127.0.0.1', '5432']);
  const { source, ports, unseen } = await scan(rig, sshd);
  assert.equal(source, 'dialled');
  assert.deepEqual(
    ports.map(({ spec }) => spec),
    ['2019', '5432', '8081'],
  );
  assert.equal(named(ports, '8081').http?.title, 'Visits');
  assert.deepEqual(named(ports, '8081').caddy, ['site']);
  assert.match(unseen.join(), /No command could be run there/);
});

test('scan folds the system away, and says what the server does not forward to', async (t) => {
  if (!needs(t, 'sshd', 'netns')) return;
  const rig = await startRig(t);
  const vps = await rig.machine();
  const sshd = await rig.sshd({ on: vps, port: 2222 });
  const short = await run(rig, 'scan', ...sshd.client.flags, 'vps');
  assert.equal(short.status, 0, short.stderr);
  assert.match(short.stdout, /^1 more of the system: tunnel scan --all vps$/m);
  assert.doesNotMatch(short.stdout, /sshd/);
  const long = await run(rig, 'scan', ...sshd.client.flags, '--all', 'vps');
  assert.match(long.stdout, /^✔ 2222 .* sshd$/m);

  await rig.start([...vps.prefix, 'nc', '-lk', '127.0.0.1', '8081']);
  const carried = await run(rig, 'scan', ...sshd.client.flags, '--transport', 'openssh', 'vps');
  assert.match(carried.stdout, /^✔ 8081 .* nc$/m, carried.stderr);
  await sshd.restart({ config: ['AllowTcpForwarding no'] });
  const barred = await run(rig, 'scan', ...sshd.client.flags, 'vps');
  assert.match(barred.stdout, /^✖ 8081 .*refused$/m);
  assert.match(barred.stdout, /AllowTcpForwarding/);
});

test('scan fails as connecting does, and takes one host', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const nowhere = await run(rig, 'scan', '-F', '/dev/null', 'nowhere.invalid');
  assert.equal(nowhere.status, 255);
  assert.match(nowhere.stderr, /✖ .*nowhere\.invalid/);
  assert.equal((await run(rig, 'scan')).status, 2);
  assert.equal((await run(rig, 'scan', 'vps', '8081')).status, 2);
});
