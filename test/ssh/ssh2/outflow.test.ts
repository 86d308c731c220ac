import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as moment } from 'node:timers/promises';
import { Outflow } from '../../../src/ssh/ssh2/outflow.ts';

const PACKET = 32 * 1024;

/** A socket that takes nothing until it is told to. */
class SlowSocket extends Writable {
  readonly written: string[] = [];
  writes = 0;
  #take: (() => void) | undefined;

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.#record(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#record([chunk], done);
  }

  /** Takes all that was written, and what follows from it, until nothing comes. */
  async takeAll(): Promise<void> {
    await moment();
    while (this.#take !== undefined) {
      const take = this.#take;
      this.#take = undefined;
      take();
      await moment();
    }
  }

  #record(chunks: readonly Buffer[], done: () => void): void {
    this.writes += 1;
    this.written.push(...chunks.map((chunk) => String.fromCharCode(chunk[0] ?? 0)));
    this.#take = done;
  }
}

function start(): { socket: SlowSocket; outflow: Outflow } {
  const socket = new SlowSocket();
  return { socket, outflow: new Outflow(socket) };
}

/** A channel that sends `count` packets, one in each of its turns. */
function bulk({ socket, outflow }: ReturnType<typeof start>, name: string, count: number): void {
  if (count === 0) return;
  outflow.schedule(PACKET, () => {
    socket.write(Buffer.alloc(PACKET, name));
    bulk({ socket, outflow }, name, count - 1);
  });
}

test('channels that have much to send take turns, packet by packet, with little in front of the socket', async () => {
  const rig = start();
  for (const name of ['a', 'b', 'c']) bulk(rig, name, 40);
  assert.ok(rig.socket.writableLength <= 160 * 1024, `${rig.socket.writableLength} bytes wait`);
  await rig.socket.takeAll();
  const order = rig.socket.written.join('');
  assert.equal(order.length, 120);
  // The first one had the socket for itself.
  const together = order.slice(order.indexOf('b'), order.lastIndexOf('c') - 20);
  assert.match(together, /^(?:bca|cab|abc|b(?=ca)|c(?=ab)|a(?=bc))+[abc]{0,2}$/);
});

test('a request goes before bulk that waits, and many requests do not keep bulk from its turn', async () => {
  const rig = start();
  bulk(rig, 'a', 40);
  let asked = 0;
  const ask = (): void => {
    rig.socket.write(Buffer.alloc(100, 'q'));
    asked += 1;
    if (asked < 200) rig.outflow.schedule(100, ask);
  };
  rig.outflow.schedule(100, ask);
  await rig.socket.takeAll();
  const order = rig.socket.written.join('');
  assert.equal(order.length, 240);
  assert.ok(order.indexOf('q') <= 8, order);
  assert.ok(order.lastIndexOf('a') < 239 || order.endsWith('a'), order);
});

test('what is sent in one moment is written to the socket at once', async () => {
  const { socket, outflow } = start();
  for (const name of 'abcdefgh') outflow.schedule(10, () => socket.write(Buffer.alloc(10, name)));
  await socket.takeAll();
  assert.equal(socket.written.join(''), 'abcdefgh');
  assert.equal(socket.writes, 1);
});

test('nothing is sent after the socket is lost', async () => {
  const rig = start();
  bulk(rig, 'a', 40);
  rig.socket.destroy();
  const { length } = rig.socket.written;
  await moment();
  assert.equal(rig.socket.written.length, length);
});
