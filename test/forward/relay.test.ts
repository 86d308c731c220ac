import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { TunnelError } from '../../src/errors.ts';
import { type Broken, relay } from '../../src/forward/relay.ts';
import type { Lender } from '../../src/lender.ts';
import { closed, connectTo, random, readAll, startFarServer, until } from './streams.ts';

/** client ⇄ near ⇄ relay ⇄ far ⇄ server */
interface Relayed {
  readonly client: Socket;
  readonly near: Socket;
  readonly far: Socket;
  readonly server: Socket;
  readonly end: Promise<Broken | undefined>;
}

async function relayed(t: TestContext, signal?: AbortSignal): Promise<Relayed> {
  const [client, near] = await socketPair(t);
  const [server, far] = await socketPair(t);
  return { client, near, far, server, end: relay(near, far, signal) };
}

/** Two ends of one TCP connection. */
async function socketPair(t: TestContext): Promise<readonly [Socket, Socket]> {
  const { endpoint, sockets } = await startFarServer(t, () => {});
  const client = await connectTo(t, endpoint);
  await until(() => sockets.length === 1);
  return [client, sockets[0] as Socket];
}

test('a client that has ended its sending still gets the answer of a server that waits for the end', async (t) => {
  const { client, server, end } = await relayed(t);
  client.end('question');
  assert.equal(String(await readAll(server)), 'question');
  server.end('answer');
  assert.equal(String(await readAll(client)), 'answer');
  assert.equal(await end, undefined);
});

test('a server that has ended its sending still gets what the client sends', async (t) => {
  const { client, server, end } = await relayed(t);
  server.end('greeting');
  assert.equal(String(await readAll(client)), 'greeting');
  client.end('farewell');
  assert.equal(String(await readAll(server)), 'farewell');
  assert.equal(await end, undefined);
});

test('both streams are closed when both directions have ended', async (t) => {
  const { client, near, far, server, end } = await relayed(t);
  client.end();
  server.end();
  await Promise.all([readAll(client), readAll(server), end, closed(near), closed(far)]);
});

test('a client that reads slowly gets everything that the server sent before it closed', async (t) => {
  const { client, near, server, end } = await relayed(t);
  const data = random(16);
  server.end(data);
  await until(() => near.writableNeedDrain);
  assert.ok(data.equals(await readAll(client)));
  client.end();
  assert.equal(await end, undefined);
});

test('what the system has not delivered yet when both directions have ended is not lost', async (t) => {
  const { client, server, end } = await relayed(t);
  const data = randomBytes(256 * 1024);
  client.end();
  server.end(data);
  assert.equal(await end, undefined);
  assert.ok(data.equals(await readAll(client)));
});

test('64 MiB cross each other in both directions unchanged', async (t) => {
  const { client, server, end } = await relayed(t);
  const up = random(64);
  const down = random(64);
  client.end(up);
  server.end(down);
  const [atClient, atServer] = await Promise.all([readAll(client), readAll(server)]);
  assert.ok(atServer.equals(up));
  assert.ok(atClient.equals(down));
  assert.equal(await end, undefined);
});

for (const direction of ['down', 'up'] as const) {
  test(`a reader that stops stops the writer on the way ${direction}, with one buffer held in between`, async (t) => {
    const { client, near, far, server } = await relayed(t);
    const data = random(64);
    const [writer, source, sink, reader] =
      direction === 'down' ? [server, far, near, client] : [client, near, far, server];
    writer.end(data);
    await until(() => source.isPaused());
    for (let turn = 0; turn < 1000; turn++) {
      await nextTurn();
      assert.ok(
        sink.writableLength <= sink.writableHighWaterMark + 65_536,
        `${sink.writableLength} wait to be written`,
      );
      assert.ok(
        source.readableLength <= source.readableHighWaterMark + 65_536,
        `${source.readableLength} wait to be read`,
      );
    }
    assert.ok(writer.writableLength > 0, 'the writer was not stopped');
    assert.ok(data.equals(await readAll(reader)));
  });
}

test('a client that resets in the middle takes the far side with it', async (t) => {
  const { client, near, far, server, end } = await relayed(t);
  client.write(random(1));
  server.write('x');
  await once(client, 'data');
  client.resetAndDestroy();
  server.resume();
  // Node.js reports a reset with data before it as an end; then it is the server's next write that shows it.
  server.on('end', () => server.end('y'));
  await Promise.all([closed(server), closed(near), closed(far), end]);
});

test('a far side that is destroyed with an error resets the client and is what the relay resolves with', async (t) => {
  const { client, far, server, end } = await relayed(t);
  server.write('part');
  const [part] = (await once(client, 'data')) as [Buffer];
  assert.equal(String(part), 'part');
  const lost = new Error('lost');
  far.destroy(lost);
  assert.deepEqual(await end, { stream: far, error: lost });
  await assert.rejects(readAll(client), { code: 'ECONNRESET' });
});

test('a far side that closes before its end resets the client', async (t) => {
  const { client, far, server, end } = await relayed(t);
  server.write('part');
  await once(client, 'data');
  far.destroy();
  const broken = await end;
  assert.equal(broken?.stream, far);
  assert.ok(broken.error instanceof TunnelError && broken.error.code === 'connection-broken');
  await assert.rejects(readAll(client), { code: 'ECONNRESET' });
});

test('an answer cut off while the client is slow to read does not look complete', async (t) => {
  const [server, far] = await socketPair(t);
  const { endpoint, sockets } = await startFarServer(t, () => {});
  assert.equal(endpoint.kind, 'tcp');
  // Not Node.js, which reports a reset that comes with data as an end.
  const script = `exec 3<>/dev/tcp/127.0.0.1/${endpoint.kind === 'tcp' ? endpoint.port : 0}; read -r; exec cat <&3 >/dev/null`;
  const client = spawn('bash', ['-c', script], { stdio: ['pipe', 'inherit', 'pipe'] });
  t.after(() => client.kill('SIGKILL'));
  await until(() => sockets.length === 1);
  const near = sockets[0] as Socket;
  const end = relay(near, far);
  server.write(random(32));
  await until(() => near.writableNeedDrain && far.isPaused());
  far.destroy(new Error('lost'));
  await end;
  client.stdin.end('\n');
  const [complaint, [status]] = await Promise.all([text(client.stderr), once(client, 'close')]);
  assert.match(complaint, /reset by peer/i);
  assert.notEqual(status, 0);
});

test('a server that hangs up after its answer ends a client that still sends, which gets all of the answer', async (t) => {
  const { client, near, far, server, end } = await relayed(t);
  const answer = random(32);
  client.write('question');
  await once(server, 'data');
  server.end(answer);
  server.once('finish', () => server.destroy());
  await until(() => near.writableNeedDrain);
  assert.ok(answer.equals(await readAll(client)));
  await until(() => {
    client.write('and another');
    return near.destroyed;
  });
  assert.equal(await end, undefined);
  assert.ok(far.destroyed);
});

/** Like a channel of SSH: it closes when the peer says so, and then never calls back for what was being written. */
class Channel extends Duplex {
  override _read(): void {}
  override _write(): void {}
  closeFromPeer(last: Uint8Array): void {
    this.push(last);
    this.push(null);
    this.once('end', () => this.destroy());
  }
}

test('a channel closed by its peer ends a client that still sends, after its last bytes', async (t) => {
  const [client, near] = await socketPair(t);
  const channel = new Channel();
  const end = relay(near, channel);
  const unwanted = randomBytes(512 * 1024);
  client.write(unwanted);
  await until(() => near.isPaused());
  const sent: Buffer[] = [];
  while (near.writableLength === 0) {
    const chunk = randomBytes(4096);
    sent.push(chunk);
    channel.push(chunk);
    await nextTurn();
  }
  const last = randomBytes(4096);
  channel.closeFromPeer(last);
  await closed(channel);
  assert.ok(near.writableLength > 0, 'nothing waits to be written');
  // What is left unread would make a reset of the close.
  await until(() => near.bytesRead === unwanted.length);
  assert.ok(Buffer.concat([...sent, last]).equals(await readAll(client)));
  assert.equal(await end, undefined);
  await closed(near);
});

/** A channel whose chunks are borrowed until `settleAll`. */
class LendingChannel extends Channel implements Lender {
  readonly #borrowers = new Set<() => boolean>();
  borrow(_chunk: Uint8Array, settle: () => boolean): void {
    this.#borrowers.add(settle);
  }
  /** Whether all borrowers have done with what they got. */
  settleAll(): boolean {
    return [...this.#borrowers].every((settle) => settle());
  }
}

test('what is borrowed is given back when the system has it, and not before', async (t) => {
  const [client, near] = await socketPair(t);
  const channel = new LendingChannel();
  const end = relay(channel, near);
  channel.resume();
  const sent: Buffer[] = [];
  let isGivenBack = true;
  while (isGivenBack) {
    const chunk = randomBytes(32 * 1024);
    sent.push(chunk);
    channel.push(chunk);
    await nextTurn();
    isGivenBack = channel.settleAll();
    assert.equal(isGivenBack, near.writableLength === 0);
  }
  assert.ok(sent.length > 1);
  channel.closeFromPeer(randomBytes(1));
  assert.equal((await readAll(client)).length, sent.length * 32 * 1024 + 1);
  client.end();
  await end;
});

test('a channel whose reader has gone with what it borrowed is read to its end', async (t) => {
  const [client, near] = await socketPair(t);
  const channel = new LendingChannel();
  const end = relay(channel, near);
  client.end();
  await until(() => near.readableEnded);
  while (near.writableLength === 0) {
    channel.push(randomBytes(256 * 1024));
    await nextTurn();
  }
  near.destroy();
  await closed(near);
  channel.settleAll();
  assert.equal(channel.isPaused(), false);
  channel.closeFromPeer(randomBytes(1));
  await end;
});

test('a client that has ended and then resets does not take from the server what it sent before', async (t) => {
  const { client, near, server, end } = await relayed(t);
  const request = random(1);
  client.end(request);
  await until(() => near.readableEnded);
  server.write('an answer');
  await until(() => client.readableLength > 0);
  client.resetAndDestroy();
  assert.ok(request.equals(await readAll(server)));
  server.end('more of the answer');
  assert.equal(await end, undefined);
});

test('a stream that had ended or failed before the relay began is noticed', async (t) => {
  const [client, near] = await socketPair(t);
  const [server, far] = await socketPair(t);
  client.end();
  await until(() => near.readableEnded);
  const end = relay(near, far);
  assert.equal((await readAll(server)).length, 0);
  server.end('answer');
  assert.equal(String(await readAll(client)), 'answer');
  assert.equal(await end, undefined);

  const [, gone] = await socketPair(t);
  const [, rest] = await socketPair(t);
  gone.destroy();
  assert.equal((await relay(gone, rest))?.stream, gone);
  assert.ok(rest.destroyed);
});

test('an aborted signal cuts both sides off at once, and is not a break', async (t) => {
  const abort = new AbortController();
  const { client, server, end } = await relayed(t, abort.signal);
  server.write('part');
  await once(client, 'data');
  abort.abort();
  assert.equal(await end, undefined);
  await assert.rejects(readAll(client), { code: 'ECONNRESET' });
  await assert.rejects(readAll(server), { code: 'ECONNRESET' });
});

test('a signal that was aborted before cuts both sides off as well', async (t) => {
  const { near, far, end } = await relayed(t, AbortSignal.abort());
  assert.equal(await end, undefined);
  assert.ok(near.destroyed && far.destroyed);
});

test('an aborted signal cuts off a client that has ended and does not read', async (t) => {
  const abort = new AbortController();
  const { client, near, far, server, end } = await relayed(t, abort.signal);
  client.end();
  server.end(random(64));
  server.resume();
  await until(() => near.writableNeedDrain);
  abort.abort();
  assert.equal(await end, undefined);
  await Promise.all([closed(near), closed(far)]);
});
