import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../rig/until.ts';
import { SSH, startServedVpn, startVpn, WEB, type Vpn } from './vpn.ts';

/** Uses the VPN at this address, with a server on each way. */
async function serve({ near, net, answer }: Vpn, vpn: string, host: string): Promise<void> {
  await answer('vpn', host, WEB);
  await answer('ssh', net.far.publicAddress, SSH);
  await near.call('start', { vpn, ssh: { host: net.far.publicAddress, port: SSH } });
}

test('an IPv6 address in the VPN does as well', async (t) => {
  const vpn = await startVpn(t);
  if (vpn === undefined) return;
  const { near, net } = vpn;
  await serve(vpn, `[${net.far.vpnAddress6}],interface=${net.near.interface}`, net.far.vpnAddress6);
  const outcome = await near.call('request', WEB, 'hello');
  assert.deepEqual(outcome, { sent: 'hello', via: 'wireguard', answer: 'vpn hello' });
  await net.near.down();
  const later = await near.call('request', WEB, 'later');
  assert.deepEqual(later, { sent: 'later', via: 'ssh', answer: 'ssh later' });
});

const troubles: [string, (vpn: Vpn) => string, RegExp][] = [
  ['a name that does not resolve', () => 'nowhere.invalid', /nowhere\.invalid/],
  [
    'an interface that does not exist',
    () => '10.99.0.1,interface=wg-none',
    /: there is no interface wg-none$/,
  ],
  [
    'a tun device that was not named',
    () => '10.99.0.1',
    /a tun device; if that is WireGuard, say so: 10\.99\.0\.1,interface=wg\w+$/,
  ],
  [
    'an address on an ordinary link',
    ({ net }) => net.far.publicAddress,
    /is through va\w+, which is not a WireGuard/,
  ],
  ['an address that nothing leads to', () => '203.0.113.1', /^there is no route to 203\.0\.113\.1$/],
  ['an address of this machine', ({ net }) => net.near.vpnAddress, /is an address of this machine itself$/],
];
for (const [what, address, reason] of troubles) {
  test(`with ${what} it is said, and SSH is used`, async (t) => {
    const vpn = await startVpn(t);
    if (vpn === undefined) return;
    await serve(vpn, address(vpn), vpn.net.far.vpnAddress);
    const status = await vpn.near.call('status');
    assert.equal(status?.via, 'ssh');
    assert.match(status.reason, reason);
    const outcome = await vpn.near.call('request', WEB, 'hello');
    assert.deepEqual(outcome, { sent: 'hello', via: 'ssh', answer: 'ssh hello' });
  });
}

test('without ip it is said what to install', async (t) => {
  const vpn = await startVpn(t);
  if (vpn === undefined) return;
  const nothing = mkdtempSync(join(vpn.rig.dir, 'nothing'));
  const route = await vpn.near.call('checkRoute', vpn.address, nothing);
  assert.deepEqual(route, {
    up: false,
    code: 'no-tool',
    reason: 'the routes cannot be read without ip; install iproute2',
  });
});

test('without any rights the route is seen, only the handshake is not', async (t) => {
  const vpn = await startServedVpn(t);
  if (vpn === undefined) return;
  const { net, near, address } = vpn;
  await near.call('request', WEB, 'hello');
  assert.ok(((await near.call('report', address, [])).handshake as { secondsAgo: number }).secondsAgo < 60);
  await near.call('dropRights');
  const report = await near.call('report', address, [WEB, 1]);
  assert.deepEqual(report, {
    vpn: address,
    route: { up: true, address: '10.99.0.1', interface: net.near.interface, source: '10.99.0.2' },
    // A refusal comes from the host as well.
    ports: [
      { port: WEB, reachable: true },
      { port: 1, reachable: true },
    ],
  });
});

test('a host that is silent in the VPN is reached over SSH, and in the VPN when it is back', async (t) => {
  const vpn = await startServedVpn(t, { holdMs: 1000, probeEveryMs: 500 });
  if (vpn === undefined) return;
  const { near, net } = vpn;
  await net.far.down();
  const outcome = await near.call('request', WEB, 'hello');
  assert.deepEqual(outcome, { sent: 'hello', via: 'ssh', answer: 'ssh hello' });
  const status = await near.call('status');
  assert.equal(status?.route?.up, true, 'the route is still there');
  assert.match(status.reason, /10\.99\.0\.1.*(?:no answer|does not answer)/);
  await net.far.up();
  await until('wireguard is used', async () => (await near.call('status'))?.via === 'wireguard');
  assert.equal((await near.call('request', WEB, 'again')).answer, 'vpn again');
});

test('a port that refuses in the VPN is left to SSH, and the others are not', async (t) => {
  const vpn = await startServedVpn(t);
  if (vpn === undefined) return;
  const { near, net, answer } = vpn;
  const local = 5000;
  assert.equal((await near.call('request', local, 'one')).answer, 'ssh one');
  await answer('vpn', net.far.vpnAddress, local);
  assert.equal((await near.call('request', local, 'two')).answer, 'ssh two', 'remembered');
  assert.equal((await near.call('request', WEB, 'three')).answer, 'vpn three');
});

test('a VPN in use is not probed', async (t) => {
  const vpn = await startServedVpn(t);
  if (vpn === undefined) return;
  const { near } = vpn;
  for (let number = 0; number < 50; number += 1) await near.call('request', WEB, String(number));
  assert.equal(await near.call('probes'), 0);
});
