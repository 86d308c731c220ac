import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  afterSighting,
  type HealthState,
  type PathChange,
  type Sighting,
} from '../../src/wireguard/health-state.ts';

const HOLD = 5000;

/** What changes in this order of sightings, each `[up, at]`. */
function changesOf(...sightings: [boolean, number][]): (PathChange | undefined)[] {
  let state: HealthState | undefined;
  return sightings.map(([up, at]) => {
    const step = afterSighting(state, { up, reason: up ? 'up' : 'down', at }, HOLD);
    state = step.state;
    return step.change;
  });
}

function vias(...sightings: [boolean, number][]): (string | undefined)[] {
  return changesOf(...sightings).map((change) => change?.via);
}

test('the first sighting decides at once', () => {
  assert.deepEqual(vias([true, 0]), ['wireguard']);
  assert.deepEqual(vias([false, 0]), ['ssh']);
});

test('a VPN that is down is left at once, and it is told once', () => {
  assert.deepEqual(vias([true, 0], [true, 10], [false, 20], [false, 30]), [
    'wireguard',
    undefined,
    'ssh',
    undefined,
  ]);
});

test('a VPN that is back is used when it has been up for the time, and not before', () => {
  const back = vias([false, 0], [true, 1000], [true, 5999], [true, 6000], [true, 7000]);
  assert.deepEqual(back, ['ssh', undefined, undefined, 'wireguard', undefined]);
});

test('the time begins anew when it was down in between', () => {
  const flapping = vias(
    [false, 0],
    [true, 1000],
    [false, 5000],
    [true, 5500],
    [true, 10_000],
    [true, 10_500],
  );
  assert.deepEqual(flapping, ['ssh', undefined, undefined, undefined, undefined, 'wireguard']);
});

test('a change says how long it took from its first sign', () => {
  const up: HealthState = { via: 'wireguard', reason: 'up', since: 0 };
  const seen: Sighting = { up: false, reason: 'no answer', at: 3000, from: 2000 };
  assert.deepEqual(afterSighting(up, seen, HOLD).change, { via: 'ssh', reason: 'no answer', tookMs: 1000 });
  assert.deepEqual(changesOf([false, 0], [true, 1000], [true, 6500]).at(-1), {
    via: 'wireguard',
    reason: 'up',
    tookMs: 5500,
  });
});

test('while it is down the newest reason is the one that stands', () => {
  const down: HealthState = { via: 'ssh', reason: 'no route', since: 0 };
  const { state } = afterSighting(down, { up: false, reason: 'no answer', at: 10 }, HOLD);
  assert.deepEqual(state, { via: 'ssh', reason: 'no answer', since: 0 });
});
