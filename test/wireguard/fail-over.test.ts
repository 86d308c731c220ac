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
