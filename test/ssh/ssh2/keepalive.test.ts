import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test, type TestContext } from 'node:test';
import type { Client } from 'ssh2';
import { keepAlive } from '../../../src/ssh/ssh2/keepalive.ts';

interface Watched {
  /** How often the server was asked for a sign of life. */
  asked: number;
  isDead: boolean;
  /** What comes from the server. */
  readonly socket: PassThrough;
  interval(): void;
}

/** A connection whose server has three intervals to answer. */
function watched(t: TestContext): Watched {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const self: Watched = {
    asked: 0,
    isDead: false,
    socket: new PassThrough(),
    interval: () => t.mock.timers.tick(15_000),
  };
  const client = { _protocol: { ping: () => (self.asked += 1) }, _callbacks: [] } as unknown as Client;
  t.after(keepAlive(client, self.socket, 15, 3, () => (self.isDead = true)));
  return self;
}

test('a server that answers nothing is asked ServerAliveCountMax times, and given up an interval later', (t) => {
  const server = watched(t);
  for (const asked of [1, 2, 3]) {
    server.interval();
    assert.deepEqual([server.asked, server.isDead], [asked, false]);
  }
  server.interval();
  assert.deepEqual([server.asked, server.isDead], [3, true]);
});

test('whatever comes from the server is a sign of life, and counting begins anew', (t) => {
  const server = watched(t);
  for (let round = 0; round < 3; round++) {
    for (let silent = 0; silent < 3; silent++) server.interval();
    server.socket.write('anything');
    server.interval();
  }
  assert.deepEqual([server.asked, server.isDead], [9, false]);
});
