import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Impostor } from '../rig/impostor.ts';
import { needs } from '../rig/requirements.ts';
import { until } from '../rig/until.ts';
import { startServedVpn, WEB, type Vpn } from './vpn.ts';

interface Scene extends Vpn {
  readonly impostor: Impostor;
}

/** A stranger has the VPN address on the ordinary link, where the default route leads. */
async function startScene(t: TestContext): Promise<Scene | undefined> {
  if (!needs(t, 'wireguard', 'python', 'curl')) return undefined;
  const vpn = await startServedVpn(t, { holdMs: 1000, probeEveryMs: 500 });
  if (vpn === undefined) return undefined;
  const impostor = await vpn.net.impostor([WEB]);
  return { ...vpn, impostor };
}

/** What nobody guards does reach it, so that the zeroes below mean something. */
async function provoke({ rig, net, impostor }: Scene): Promise<void> {
  const before = impostor.seen.payload;
  const url = `http://${net.far.vpnAddress}:${WEB}/`;
  const result = await rig.run([...net.near.prefix, 'curl', '--silent', '--max-time', '5', url]);
  assert.equal(result.stdout, 'impostor');
  await impostor.waitFor('the bytes of an unguarded client', ({ payload }) => payload > before);
}

test('with the VPN down not a byte reaches whoever has its address on the ordinary link', async (t) => {
  const scene = await startScene(t);
  if (scene === undefined) return;
  const { near, net, impostor } = scene;
  assert.equal((await near.call('request', WEB, 'one')).via, 'wireguard');
  await net.near.down();
  // At once, before anything can have noticed.
  for (const sent of ['two', 'three', 'four']) {
    assert.deepEqual(await near.call('request', WEB, sent), { sent, via: 'ssh', answer: `ssh ${sent}` });
  }
  const status = await near.call('status');
  assert.equal(status?.via, 'ssh');
  assert.match(status.reason, /^the route to 10\.99\.0\.1 is through va\w+: the interface wg\w+ is down$/);
  assert.deepEqual(impostor.seen, { connections: 0, received: 0, payload: 0 });
  await provoke(scene);
});

for (const [what, change] of [
  ['a route that the network hands out', ['route', 'add', '10.99.0.1/32', 'via', '198.51.100.2']],
  ['a rule', ['rule', 'add', 'to', '10.99.0.1', 'lookup', '77']],
] as const) {
  test(`with the VPN up, ${what} takes no byte of a new connection elsewhere`, async (t) => {
    const scene = await startScene(t);
    if (scene === undefined) return;
    const { near, net, impostor } = scene;
    await net.near.ip('route', 'add', '10.99.0.1/32', 'via', '198.51.100.2', 'table', '77');
    assert.equal((await near.call('request', WEB, 'one')).via, 'wireguard');
    await net.near.ip(...change);
    assert.deepEqual(await near.call('request', WEB, 'two'), { sent: 'two', via: 'ssh', answer: 'ssh two' });
    assert.deepEqual(impostor.seen, { connections: 0, received: 0, payload: 0 });
    await provoke(scene);
  });
}

test('our own VPN address given out by a strange network does not pass for the VPN', async (t) => {
  const scene = await startScene(t);
  if (scene === undefined) return;
  const { near, net, impostor } = scene;
  assert.equal((await near.call('request', WEB, 'one')).via, 'wireguard');
  const [{ dev }] = JSON.parse(await net.near.ip('-j', 'route', 'get', '198.51.100.2')) as [{ dev: string }];
  await net.near.ip('addr', 'add', `${net.near.vpnAddress}/32`, 'dev', dev);
  const route = ['10.99.0.1/32', 'via', '198.51.100.2', 'src', net.near.vpnAddress];
  await net.near.ip('route', 'add', ...route);
  assert.deepEqual(await near.call('request', WEB, 'two'), { sent: 'two', via: 'ssh', answer: 'ssh two' });
  assert.deepEqual(impostor.seen, { connections: 0, received: 0, payload: 0 });
});

test('what is written to an open connection after the VPN went down goes nowhere, and the connection is cut', async (t) => {
  const scene = await startScene(t);
  if (scene === undefined) return;
  const { near, net, impostor } = scene;
  assert.equal(await near.call('hold', WEB), 'wireguard');
  await near.call('writeHeld', 'before');
  await net.near.down();
  await near.call('writeHeld', 'after');
  await until('it is cut', async () => (await near.call('heldError')) === 'wireguard-lost');
  assert.equal(impostor.seen.payload, 0);
  await provoke(scene);
});

test('what the kernel still has to send when the VPN goes down is taken back', async (t) => {
  const scene = await startScene(t);
  if (scene === undefined) return;
  const { near, net, impostor } = scene;
  assert.equal(await near.call('hold', WEB), 'wireguard');
  await near.call('writeHeld', 'acknowledged');
  await sleep(500);
  await net.far.down();
  await near.call('writeHeld', 'not acknowledged');
  // It is sent again after some 0.2, 0.6, 1.4 and 3 s.
  await sleep(1800);
  await net.near.down();
  await until('it is cut', async () => (await near.call('heldError')) === 'wireguard-lost');
  await sleep(3000);
  assert.equal(impostor.seen.payload, 0);
  await provoke(scene);
});

test('a client that never stops asking, through ten changes, gets no answer from elsewhere', async (t) => {
  const scene = await startScene(t);
  if (scene === undefined) return;
  const { near, net, impostor } = scene;
  const isUsed = (via: string) => async (): Promise<boolean> => (await near.call('status'))?.via === via;
  await near.call('ask', WEB);
  for (let round = 1; round <= 10; round += 1) {
    await until('wireguard is used', isUsed('wireguard'));
    await net.near.down();
    await until('ssh is used', isUsed('ssh'));
    await net.near.up();
  }
  const outcomes = await near.call('stopAsking');
  assert.ok(!outcomes.some(({ answer }) => answer?.includes('impostor')));
  // Not the payload: between the last look at the route and the kernel's own there is a moment that no program can close.
  assert.equal(impostor.seen.received, 0);
});
