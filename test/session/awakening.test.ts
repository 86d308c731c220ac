import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { watchAwakening } from '../../src/session/awakening.ts';

interface Machine {
  addresses: string;
  sleptMs: number;
  readonly told: string[];
  tick(): void;
}

function machine(t: TestContext): Machine {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] });
  const self: Machine = {
    addresses: 'eth0 192.0.2.1/24',
    sleptMs: 0,
    told: [],
    tick: () => t.mock.timers.tick(1000),
  };
  const stop = watchAwakening((why) => self.told.push(why), {
    wallClock: () => Date.now() + self.sleptMs,
    addresses: () => self.addresses,
  });
  t.after(stop);
  return self;
}

test('nothing is told while nothing happens', (t) => {
  const here = machine(t);
  for (let second = 0; second < 60; second++) here.tick();
  assert.deepEqual(here.told, []);
});

test('a sleep is told at the first look after it', (t) => {
  const here = machine(t);
  here.sleptMs += 60_000;
  here.tick();
  here.tick();
  assert.deepEqual(here.told, ['a sleep']);
});

test('a clock that is set back is told, too', (t) => {
  const here = machine(t);
  here.sleptMs -= 60_000;
  here.tick();
  assert.deepEqual(here.told, ['a change of the clock']);
});

test('other addresses are told once, when they have stayed for one look', (t) => {
  const here = machine(t);
  here.addresses = '';
  here.tick();
  here.addresses = 'wlan0 198.51.100.7/24';
  here.tick();
  assert.deepEqual(here.told, []);
  here.tick();
  here.tick();
  assert.deepEqual(here.told, ['a change of the network']);
});

test('addresses that come back at once are no change', (t) => {
  const here = machine(t);
  const before = here.addresses;
  here.addresses = '';
  here.tick();
  here.addresses = before;
  here.tick();
  here.tick();
  assert.deepEqual(here.told, []);
});
