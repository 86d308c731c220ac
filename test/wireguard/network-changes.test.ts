import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkChanges } from '../../src/wireguard/network-changes.ts';

test('a machine that slept has changed networks, and one that did not has not', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] });
  let changes = 0;
  const stop = networkChanges(() => (changes += 1));
  t.mock.timers.tick(1000);
  t.mock.timers.tick(1000);
  assert.equal(changes, 0);
  // The clock goes on while timers stand still.
  const now = Date.now();
  t.mock.method(Date, 'now', () => now + 60_000, { times: 1 });
  t.mock.timers.tick(1000);
  assert.equal(changes, 1);
  stop();
  t.mock.timers.tick(10_000);
  assert.equal(changes, 1);
});
