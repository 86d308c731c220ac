import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Budget } from '../../../../src/ssh/ssh2/windows/budget.ts';
import { Direction } from '../../../../src/ssh/ssh2/windows/direction.ts';
import { Path } from '../../../../src/ssh/ssh2/windows/path.ts';
import { ReceiveWindow } from '../../../../src/ssh/ssh2/windows/receive-window.ts';
import { SendWindow } from '../../../../src/ssh/ssh2/windows/send-window.ts';
import { SimulatedPath } from './simulated-path.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

test('a long fast path is filled, which a window of 2 MiB cannot', () => {
  const roundTripMs = 50;
  const path = new SimulatedPath({ bytesPerMs: 100_000, roundTripMs });
  const { received } = path.transfer(3000);
  const withTwoMiB = ((2 * MIB) / roundTripMs) * 3000;
  assert.ok(received > 2 * withTwoMiB, `${received} bytes came`);
  assert.ok(received > 0.8 * 100_000 * 3000, `${received} bytes came`);
});

test('a slow path is filled and its queue stays short, where a window of 2 MiB would stand in it', () => {
  const path = new SimulatedPath({ bytesPerMs: 12_500, roundTripMs: 20 });
  const { received, longestQueueMs, laterQueueMs } = path.transfer(5000);
  assert.ok(received > 0.95 * 12_500 * 5000, `${received} bytes came`);
  assert.ok(longestQueueMs < 60, `the queue took ${longestQueueMs} ms`);
  assert.ok(laterQueueMs < 25, `the queue took ${laterQueueMs} ms later`);
});

test('a path that becomes longer is filled again when the old round trip is no longer believed', () => {
  const path = new SimulatedPath({ bytesPerMs: 12_500, roundTripMs: 20 });
  path.transfer(2000);
  path.roundTripMs = 80;
  path.transfer(25_000);
  const { received } = path.transfer(3000);
  assert.ok(received > 0.8 * 12_500 * 3000, `${received} bytes came`);
});

test('what one transfer has learned of the path is where the next one begins', () => {
  const path = new SimulatedPath({ bytesPerMs: 40_000, roundTripMs: 40 });
  const first = path.transfer(3000);
  first.window.close();
  const second = path.transfer(100);
  assert.ok(second.window.initial > first.window.initial);
});

test('a reader that is slower than the path holds no more than what it takes in a few round trips', () => {
  const path = new SimulatedPath({ bytesPerMs: 100_000, roundTripMs: 50 });
  const { window, received } = path.transfer(10_000, 2000);
  assert.ok(received > 0.95 * 2000 * 10_000, `${received} bytes came`);
  assert.ok(window.size < 512 * KIB, `the window is ${window.size}`);
});

test('a reader that stops holds no more than its window', () => {
  const path = new SimulatedPath({ bytesPerMs: 100_000, roundTripMs: 50 });
  const { window, received } = path.transfer(5000, 0);
  assert.equal(received, 0);
  assert.equal(window.size, window.initial);
});

test('a window that is not used for a while is small again once what it was has been used up', () => {
  const path = new SimulatedPath({ bytesPerMs: 100_000, roundTripMs: 50 });
  const { window } = path.transfer(3000);
  assert.ok(window.size > 4 * MIB);
  let now = path.now;
  for (let i = 0; i < 1000; i++) window.taken(10 * KIB, (now += 5000));
  assert.ok(window.size <= window.initial, `it is ${window.size}`);
});

test('800 readers that stop after they began hold less than 160 MB, and a later channel still gets a window', () => {
  const budget = new Budget();
  const path = new Path();
  path.sample(0, 50);
  const direction = new Direction(path);
  const windows = Array.from({ length: 800 }, () => new ReceiveWindow(direction, budget));
  let now = 100;
  for (let round = 0; round < 100; round++, now += 10) {
    for (const window of windows) window.taken(Math.min(window.size, 256 * KIB), now);
  }
  const held = windows.reduce((sum, { size }) => sum + size, 0);
  assert.ok(held < 160e6, `they may hold ${held}`);
  assert.ok(budget.granted >= held, `${budget.granted} of ${held} were granted`);
  assert.ok(new ReceiveWindow(direction, budget).initial >= 64 * KIB);
  for (const window of windows) window.close();
  assert.ok(new ReceiveWindow(direction, budget).initial >= 512 * KIB);
});

test('credit is given before the window is used up, and not for every packet', () => {
  const path = new Path();
  path.sample(0, 50);
  const window = new ReceiveWindow(new Direction(path), new Budget());
  const credits = Array.from({ length: 16 }, (_, i) => window.taken(32 * KIB, i));
  const given = credits.filter((credit) => credit > 0);
  assert.ok(given.length >= 4 && given.length <= 8, credits.join());
  assert.equal(
    given.reduce((sum, credit) => sum + credit, 0),
    16 * 32 * KIB,
  );
});

test('what came in a burst is not allowed anew in a burst, but over a round trip', () => {
  const roundTripMs = 50;
  const path = new SimulatedPath({ bytesPerMs: 100_000, roundTripMs });
  const { window } = path.transfer(3000);
  const full = window.size;
  assert.ok(full > 4 * MIB);
  let { now } = path;
  let atOnce = 0;
  for (let taken = 0; taken < full; taken += 32 * KIB) atOnce += window.taken(32 * KIB, now);
  assert.ok(atOnce <= 512 * KIB, `${atOnce} at once`);
  const end = now + roundTripMs;
  let largest = 0;
  assert.ok(window.waitMs !== undefined);
  while (window.waitMs !== undefined && now < end) {
    assert.ok(window.waitMs < 5, `it waits for ${window.waitMs} ms`);
    now += Math.max(0.1, window.waitMs);
    largest = Math.max(largest, window.credit(now));
  }
  assert.ok(largest <= 512 * KIB, `${largest} at once`);
  assert.ok(window.size > 0.9 * full, `${window.size} of ${full}`);
});

test('what may be sent beyond what the path carries is no more than a MiB', () => {
  const path = new SimulatedPath({ bytesPerMs: 100_000, roundTripMs: 50 });
  const { window, received } = path.transfer(5000);
  const carried = 100_000 * 54;
  assert.ok(received > 0.9 * 100_000 * 5000, `${received} bytes came`);
  assert.ok(window.size < carried + 1.2 * MIB, `the window is ${window.size}`);
});

test('nothing is given after the close', () => {
  const budget = new Budget();
  const window = new ReceiveWindow(new Direction(new Path()), budget);
  window.close();
  window.close();
  assert.equal(window.taken(window.initial, 1), 0);
  assert.equal(window.credit(2), 0);
  assert.equal(window.waitMs, undefined);
  assert.equal(budget.granted, 0);
});

test('what may be under way to the server follows what it passes on; on a near path nothing is held back', () => {
  const far = new Path();
  far.sample(0, 20);
  const window = new SendWindow(new Direction(far));
  const { room } = window;
  assert.ok(room < 1 * MIB, `there is room for ${room}`);
  window.sent(room);
  assert.equal(window.room, 0);
  window.passedOn(96 * KIB, 1000);
  assert.equal(window.room, 96 * KIB);

  const near = new Path();
  near.sample(0, 1);
  assert.equal(new SendWindow(new Direction(near)).room, Infinity);
});

test('the lowest round trip counts, and after ten seconds only one without queues replaces it', () => {
  const path = new Path();
  path.sample(0, 20);
  path.sample(100, 150);
  assert.equal(path.roundTripMs, 20);
  path.sample(200, 215);
  assert.equal(path.roundTripMs, 15);
  assert.equal(path.isDraining(1000), false);
  assert.equal(path.isDraining(10_300), true);
  path.sample(10_290, 10_340);
  assert.equal(path.roundTripMs, 15, 'it was sent before the queues were emptied');
  path.sample(10_320, 10_360);
  assert.equal(path.roundTripMs, 40);
  assert.equal(path.isDraining(10_400), false);
});
