import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as hold, constantFrom, double, property } from 'fast-check';
import { ConnectError, ConnectionLostError, UsageError } from '../../src/errors.ts';
import { born, isHopeless, next, type Happening, type Life, type Policy } from '../../src/session/state.ts';

const lost = new ConnectionLostError('connection-lost', 'Lost');
const unreachable = new ConnectError('timeout', 'Cannot reach vps');
const refused = new ConnectError('authentication-failed', 'Permission denied');
const policy: Policy = { reconnect: { minMs: 500, maxMs: 30_000 }, wait: false };

function live(happenings: readonly Happening[], how = policy, random = 1): Life {
  return happenings.reduce((life, happening) => next(life, happening, how, 0, random), born(how));
}

test('a first attempt that fails ends the life, with the reason', () => {
  assert.deepEqual(live([{ type: 'failed', error: unreachable }]).state, {
    name: 'closed',
    error: unreachable,
  });
});

test('with wait a first attempt that fails is followed by another', () => {
  const { state } = live([{ type: 'failed', error: unreachable }], { ...policy, wait: true });
  assert.deepEqual(state, { name: 'waiting', retryAt: 500, reason: unreachable });
});

test('what was connected once is connected again, for ever', () => {
  let life = live([{ type: 'connected' }, { type: 'failed', error: lost }]);
  for (let attempt = 0; attempt < 1000; attempt++) {
    assert.equal(life.state.name, 'waiting');
    life = next(life, { type: 'retry' }, policy, 0, 1);
    assert.equal(life.state.name, 'connecting');
    life = next(life, { type: 'failed', error: unreachable }, policy, 0, 1);
  }
});

test('without reconnecting a loss ends the life, with the reason', () => {
  const { state } = live([{ type: 'connected' }, { type: 'failed', error: lost }], { wait: false });
  assert.deepEqual(state, { name: 'closed', error: lost });
});

test('what a person has to put right first is not tried again', () => {
  const { state } = live([
    { type: 'connected' },
    { type: 'failed', error: lost },
    { type: 'retry' },
    { type: 'failed', error: refused },
  ]);
  assert.deepEqual(state, { name: 'closed', error: refused });
  for (const code of ['host-key-changed', 'host-key-unknown', 'host-key-revoked', 'no-algorithm']) {
    assert.ok(isHopeless(new ConnectError(code, '')), code);
  }
  assert.ok(isHopeless(new UsageError('ssh-config', '')));
  for (const code of ['timeout', 'unknown-host', 'handshake-failed', 'jump-failed', 'proxy-command']) {
    assert.ok(!isHopeless(new ConnectError(code, '')), code);
  }
});

test('the waits double up to the longest', () => {
  let life = live([{ type: 'connected' }]);
  const waits = [];
  for (let attempt = 0; attempt < 9; attempt++) {
    life = next(life, { type: 'failed', error: lost }, policy, 1000, 1);
    if (life.state.name === 'waiting') waits.push(life.state.retryAt - 1000);
    life = next(life, { type: 'retry' }, policy, 1000, 1);
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test('chance makes a wait up to half as long, and never longer', () => {
  hold(
    property(double({ min: 0, max: 1, noNaN: true }), (random) => {
      const { state } = live([{ type: 'connected' }, { type: 'failed', error: lost }], policy, random);
      assert.ok(state.name === 'waiting' && state.retryAt >= 250 && state.retryAt <= 500);
    }),
  );
});

test('a connection that lasted begins the waits anew, one that did not goes on with them', () => {
  const after = (lastedMs: number): number => {
    let life = live([
      { type: 'connected' },
      { type: 'failed', error: lost },
      { type: 'retry' },
      { type: 'connected' },
    ]);
    life = next(life, { type: 'failed', error: lost }, policy, lastedMs, 1);
    return life.state.name === 'waiting' ? life.state.retryAt - lastedMs : 0;
  };
  assert.equal(after(30_000), 500);
  assert.equal(after(100), 1000);
});

test('a lazy life connects only when it is needed, and rests when that fails or is lost', () => {
  const lazy = { ...policy, lazy: true };
  assert.deepEqual(live([], lazy).state, { name: 'idle' });
  assert.equal(live([{ type: 'needed' }], lazy).state.name, 'connecting');
  for (const error of [unreachable, refused]) {
    const failed = live([{ type: 'needed' }, { type: 'failed', error }], lazy);
    assert.deepEqual(failed.state, { name: 'idle', reason: error });
    assert.equal(next(failed, { type: 'needed' }, lazy, 0, 1).state.name, 'connecting');
  }
  const lostOne = live([{ type: 'needed' }, { type: 'connected' }, { type: 'failed', error: lost }], lazy);
  assert.deepEqual(lostOne.state, { name: 'idle', reason: lost });
});

const anything = constantFrom<Happening>(
  { type: 'needed' },
  { type: 'connected' },
  { type: 'failed', error: lost },
  { type: 'failed', error: refused },
  { type: 'retry' },
  { type: 'close' },
  { type: 'ended' },
);

test('closing is never taken back, whatever happens meanwhile', () => {
  hold(
    property(array(anything), array(anything), (before, after) => {
      const life = [{ type: 'close' } as const, ...after].reduce(
        (now, happening) => next(now, happening, policy, 0, 1),
        live(before),
      );
      assert.ok(life.state.name === 'closing' || life.state.name === 'closed');
    }),
  );
});

test('what is closed stays closed, with the same reason', () => {
  hold(
    property(array(anything), (after) => {
      const closed = live([{ type: 'failed', error: unreachable }]);
      assert.equal(
        after.reduce((now, happening) => next(now, happening, policy, 0, 1), closed),
        closed,
      );
    }),
  );
});
