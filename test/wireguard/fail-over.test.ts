import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../rig/until.ts';
import type { Outcome } from './near.fixture.ts';
import { startServedVpn, WEB } from './vpn.ts';

test('with the VPN up a connection goes straight to the port there', async (t) => {
  const vpn = await startServedVpn(t);
  if (vpn === undefined) return;
  const { near } = vpn;
  assert.deepEqual(await near.call('request', WEB, 'hello'), {
    sent: 'hello',
    via: 'wireguard',
    answer: 'vpn hello',
  });
  const status = await near.call('status');
  assert.equal(status?.via, 'wireguard');
  assert.equal(status.route?.up, true);
});

test('a large upload arrives as it was sent', async (t) => {
  const vpn = await startServedVpn(t);
  if (vpn === undefined) return;
  assert.ok(await vpn.near.call('upload', WEB, 20_000_000));
});

test('an open connection waits while there is no route at all, and goes on', async (t) => {
  const vpn = await startServedVpn(t);
  if (vpn === undefined) return;
  const { near, net } = vpn;
  assert.equal(await near.call('hold', WEB), 'wireguard');
  await near.call('writeHeld', 'before ');
  await net.near.down();
  await until('ssh is used', async () => (await near.call('status'))?.via === 'ssh');
  await near.call('writeHeld', 'after');
  await net.near.up();
  assert.equal(await near.call('finishHeld'), 'vpn before after');
});

for (const [what, away, back] of [
  ['the interface', ['link', 'set', 'WG', 'down'], ['link', 'set', 'WG', 'up']],
  ['the route', ['route', 'del', '10.99.0.0/24', 'dev', 'WG'], ['route', 'add', '10.99.0.0/24', 'dev', 'WG']],
] as const) {
  test(`that ${what} is gone, and back, is noticed without a connection`, async (t) => {
    const vpn = await startServedVpn(t, { holdMs: 1000, probeEveryMs: 500 });
    if (vpn === undefined) return;
    const { near, net } = vpn;
    const ip = (args: readonly string[]): Promise<string> =>
      net.near.ip(...args.map((arg) => (arg === 'WG' ? net.near.interface : arg)));
    await ip(away);
    await until('ssh is used', async () => (await near.call('status'))?.via === 'ssh');
    await ip(back);
    await until('wireguard is used', async () => (await near.call('status'))?.via === 'wireguard');
  });
}

test('ten times the VPN goes away under a client and comes back, and every answer is whole', async (t) => {
  const vpn = await startServedVpn(t, { holdMs: 1000, probeEveryMs: 500 });
  if (vpn === undefined) return;
  const { near, net } = vpn;
  await near.call('ask', WEB);
  for (let round = 1; round <= 10; round += 1) {
    await until('wireguard is used', async () => (await near.call('status'))?.via === 'wireguard');
    await net.near.down();
    await until('ssh is used', async () => (await near.call('status'))?.via === 'ssh');
    await net.near.up();
  }
  await until('wireguard is used again', async () => (await near.call('status'))?.via === 'wireguard');
  const outcomes = await near.call('stopAsking');
  const changes = await near.call('changes');
  assert.deepEqual(
    changes.map(({ via }) => via),
    ['wireguard', ...Array.from({ length: 10 }, () => ['ssh', 'wireguard']).flat()],
  );
  for (const outcome of outcomes)
    if (outcome.error === undefined) assert.equal(outcome.answer, expected(outcome));
  const failed = outcomes.filter(({ error }) => error !== undefined);
  assert.ok(failed.length <= 10, `${failed.length} requests failed: ${JSON.stringify(failed)}`);
  assert.ok(outcomes.some(({ via }) => via === 'ssh'));
});

function expected({ via, sent }: Outcome): string {
  return `${via === 'ssh' ? 'ssh' : 'vpn'} ${sent}`;
}
