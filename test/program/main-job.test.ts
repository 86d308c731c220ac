import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { freePort } from '../rig/servers.ts';
import type { Sshd } from '../rig/sshd.ts';

interface Vps {
  readonly rig: Rig;
  readonly sshd: Sshd;
  /** Caddy's port there. */
  readonly port: number;
  /** An absolute path of a second socket there. */
  readonly socket: string;
}

/** A machine as in the README: Caddy in front of Gunicorn's socket in the home, another socket, and another host. */
async function startVps(t: TestContext): Promise<Vps | undefined> {
  if (!needs(t, 'sshd', 'gunicorn', 'caddy', 'curl', 'netns')) return undefined;
  const rig = await startRig(t);
  const machine = await rig.machine({ hosts: { otherhost: '127.0.0.2' } });
  const sshd = await rig.sshd({ on: machine });
  const port = await freePort();
  const [app, other] = await Promise.all([
    rig.gunicorn({ dir: join(sshd.home, 'app'), name: 'home' }),
    rig.gunicorn({ name: 'srv' }),
    rig.gunicorn({ bind: '127.0.0.2:5432', name: 'otherhost', on: machine }),
  ]);
  await rig.caddy({ dir: app.dir, port, on: machine });
  return { rig, sshd, port, socket: other.socket ?? '' };
}

test('five forwards of every kind answer over one connection to sshd', async (t) => {
  const vps = await startVps(t);
  if (vps === undefined) return;
  const { rig, sshd, port, socket } = vps;
  const [homePort, srvPort, otherPort] = [await freePort(), await freePort(), await freePort()];
  const specs = [
    String(port),
    `${homePort}:~/app/app.sock`,
    `${srvPort}:${socket}`,
    './local.sock:~/app/app.sock',
    `${otherPort}:otherhost:5432`,
  ];
  const tunnel = await rig.tunnel([...sshd.client.flags, '--json', 'vps', ...specs]);
  const local = join(rig.env['HOME'] ?? '', 'local.sock');
  const ports = [port, homePort, srvPort, otherPort].map((number) => `127.0.0.1:${number}`);
  for (const listen of [...ports, local]) {
    await tunnel.waitForEvent('forward', (event) => (event['listen'] as string[]).includes(listen));
  }

  const get = async (...args: string[]): Promise<string> => {
    const result = await rig.run(['curl', '--silent', '--show-error', '--fail', ...args]);
    assert.equal(result.status, 0, result.stderr);
    return result.stdout;
  };
  assert.match(await get(`http://localhost:${port}/`), /<h1>Visits/);
  assert.match(await get(`http://[::1]:${port}/`), /<h1>Visits/);
  assert.equal((JSON.parse(await get(`http://localhost:${port}/api/hello`)) as { app: string }).app, 'home');
  assert.match(await get(`http://localhost:${homePort}/hello`), /"home"/);
  assert.match(await get(`http://localhost:${srvPort}/hello`), /"srv"/);
  assert.match(await get('--unix-socket', local, 'http://localhost/hello'), /"home"/);
  assert.match(await get(`http://localhost:${otherPort}/hello`), /"otherhost"/);
  assert.equal(statSync(local).mode & 0o777, 0o600);
  assert.equal(sshd.relay?.total, 1);

  assert.equal((await tunnel.interrupt()).status, 130);
  assert.throws(() => statSync(local), { code: 'ENOENT' });
});

test('the port before the host, as the old shell function had it, does the same', async (t) => {
  if (!needs(t, 'sshd', 'caddy', 'curl', 'netns')) return;
  const rig = await startRig(t);
  const machine = await rig.machine();
  const sshd = await rig.sshd({ on: machine });
  const caddy = await rig.caddy({ on: machine });
  for (const words of [
    [String(caddy.port), 'vps'],
    ['vps', String(caddy.port)],
  ]) {
    const tunnel = await rig.tunnel([...sshd.client.flags, ...words]);
    await tunnel.waitFor(new RegExp(`http://localhost:${caddy.port}`));
    const page = await rig.run(['curl', '--silent', '--fail', `http://localhost:${caddy.port}/`]);
    assert.equal(page.status, 0);
    await tunnel.interrupt();
  }
  assert.equal(sshd.relay?.total, 2);
});

test('an auto port is the same on the next run', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const ports: unknown[] = [];
  for (let run = 0; run < 2; run += 1) {
    const tunnel = await rig.tunnel([...sshd.client.flags, '--json', 'vps', '/srv/app/app.sock']);
    const event = await tunnel.waitForEvent('forward');
    ports.push(event['listen']);
    await tunnel.interrupt();
  }
  assert.deepEqual(ports[0], ports[1]);
  assert.notEqual(ports[0], undefined);
});
