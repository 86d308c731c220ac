import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { startVpnHost } from '../program/vpn-host.ts';
import { ip } from './namespace.ts';
import { needs } from './requirements.ts';
import { Rig } from './rig.ts';
import { until } from './until.ts';

test('the page, its API and sshd are there in the VPN and outside, and the program runs on the near machine', async (t) => {
  const host = await startVpnHost(t);
  if (host === undefined) return;
  const { net, web, get, rig, client } = host;
  assert.match(await get(`http://${net.far.vpnAddress}:${web}/`), /<h1>Visits/);
  assert.match(await get(`http://[${net.far.vpnAddress6}]:${web}/api/hello`), /"vpn"/);
  assert.equal(await get(`http://${net.far.publicAddress}:${web}/`), '', 'Caddy is not public');
  assert.deepEqual(host.sshConnections(), []);
  const ssh = await rig.run([...net.near.prefix, 'ssh', ...client.flags, 'vps', 'echo', 'hello']);
  assert.equal(ssh.stdout, 'hello\n', ssh.stderr);
  const tunnel = await host.tunnel('vps', String(web));
  await tunnel.waitFor(/http:\/\/localhost/);
  assert.match(await get(`http://localhost:${web}/api/hello`), /"vpn"/);
  assert.deepEqual(host.sshConnections(), [net.far.publicAddress, net.far.publicAddress]);
});

test('the VPN goes down and up on either side', async (t) => {
  const host = await startVpnHost(t);
  if (host === undefined) return;
  const { net, web, get } = host;
  const url = `http://[${net.far.vpnAddress6}]:${web}/`;
  for (const side of [net.near, net.far]) {
    await side.down();
    assert.equal(await get(url), '');
    await side.up();
    await until('it is back', async () => (await get(url)) !== '');
  }
});

test('nothing of the rig is left when it has stopped', async (t) => {
  if (!needs(t, 'wireguard', 'python')) return;
  const rig = new Rig();
  const net = await rig.wireguard();
  const impostor = await net.impostor([8081]);
  const namespaces = [net.near, net.far, impostor].map(({ prefix }) => prefix.at(-1) ?? '');
  const sockets = [net.near, net.far].map((side) => `/var/run/wireguard/${side.interface}.sock`);
  const left = async (): Promise<readonly string[]> => {
    const listed = (await ip('netns', 'list')).split(/\s+/);
    return [
      ...namespaces.filter((name) => listed.includes(name)),
      ...sockets.filter((path) => existsSync(path)),
    ];
  };
  assert.deepEqual(await left(), [...namespaces, ...sockets]);
  await rig.stop();
  assert.deepEqual(await left(), []);
});
