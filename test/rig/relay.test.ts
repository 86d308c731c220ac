import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { pipeline } from 'node:stream/promises';
import { randomBlocks, randomSha256 } from './random.ts';
import type { Conditions, Relay } from './relay.ts';
import { until } from './until.ts';
import { startRig } from './rig.ts';
import {
  closesFirst,
  digest,
  echo,
  readToEnd,
  resets,
  silent,
  source,
  type Behaviour,
  type SmallServer,
} from './servers.ts';

interface Setup {
  readonly relay: Relay;
  readonly server: SmallServer;
  readonly client: Socket;
}

async function setUp(t: TestContext, behaviour: Behaviour, conditions?: Conditions): Promise<Setup> {
  const rig = await startRig(t);
  const server = await rig.serve(behaviour);
  const relay = await rig.relay({ port: server.port }, conditions);
  return { relay, server, client: await connectTo(t, relay) };
}

async function connectTo(t: TestContext, relay: Relay): Promise<Socket> {
  const client = connect({ host: relay.host, port: relay.port, allowHalfOpen: true });
  t.after(() => client.destroy());
  await once(client, 'connect');
  return client;
}

test('it counts connections and bytes each way, and keeps half-closes', async (t) => {
  const { relay, client } = await setUp(t, digest);
  client.end('hello');
  const answer = await readToEnd(client);
  assert.equal(answer, `5 ${createHash('sha256').update('hello').digest('hex')}\n`);
  assert.equal(relay.total, 1);
  assert.equal(relay.bytesUp, 5);
  assert.equal(relay.bytesDown, answer.length);
  await until('it is closed', () => relay.open === 0);
});

test('a server that closes first still gets what the client sends', async (t) => {
  const { relay, client } = await setUp(t, closesFirst('bye'));
  assert.equal(await readToEnd(client), 'bye');
  client.end('more');
  await until('it is closed after 4 bytes', () => relay.bytesUp === 4 && relay.open === 0);
});

test('what goes through with a delay and a limit is whole and in order', async (t) => {
  const length = 3_000_001;
  const { relay, client } = await setUp(t, source('delayed', length), {
    delayMs: 20,
    bytesPerSecond: 20_000_000,
  });
  const hash = createHash('sha256');
  for await (const data of client) {
    hash.update(data as Buffer);
    if (relay.bytesDown > length / 2) relay.set({});
  }
  assert.equal(hash.digest('hex'), randomSha256('delayed', length));
});

test('a delay is never shorter than asked for, and a limit never faster', async (t) => {
  const { relay, client } = await setUp(t, echo, { delayMs: 50 });
  let start = performance.now();
  client.write('x');
  await once(client, 'data');
  assert.ok(performance.now() - start >= 100, 'a round trip of at least 100 ms');

  relay.set({ bytesPerSecond: 1_000_000 });
  start = performance.now();
  await pipeline(randomBlocks('limit', 200_000), client);
  for await (const _ of client);
  assert.ok(performance.now() - start >= 200, '200 kB at 1 MB/s in each direction, both at once');
});

test('drop resets both sides', async (t) => {
  const { relay, server, client } = await setUp(t, echo);
  client.write('x');
  await once(client, 'data');
  relay.drop();
  await assert.rejects(once(client, 'end'), { code: 'ECONNRESET' });
  await until('both are closed', () => server.open === 0 && relay.open === 0);
});

test('a reset of the server is a reset for the client', async (t) => {
  const { client } = await setUp(t, resets);
  client.write('x');
  await assert.rejects(once(client, 'end'), { code: 'ECONNRESET' });
});

test('a blackhole accepts and passes nothing, and all of it when it is over', async (t) => {
  const { relay, server, client } = await setUp(t, echo);
  await until('it is connected', () => server.total === 1);
  relay.blackhole(true);
  client.write('early ');
  const late = await connectTo(t, relay);
  late.end('late');
  // Nothing can be waited for where nothing is to happen: a while is long enough to see what would pass.
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(relay.bytesUp, 0);
  assert.equal(server.total, 1);

  relay.blackhole(false);
  client.end('and more');
  assert.equal(await readToEnd(client), 'early and more');
  assert.equal(await readToEnd(late), 'late');
});

test('while it refuses, connections that are open stay', async (t) => {
  const { relay, client } = await setUp(t, echo);
  await until('it is connected', () => relay.open === 1);
  await relay.refuse(true);
  await assert.rejects(connectTo(t, relay), { code: 'ECONNREFUSED' });
  client.end('still here');
  assert.equal(await readToEnd(client), 'still here');
  await relay.refuse(false);
  await connectTo(t, relay);
});

test('a server that does not read stops the client, and little is kept meanwhile', async (t) => {
  const { relay, client } = await setUp(t, silent);
  client.on('error', () => undefined);
  const feed = pipeline(randomBlocks('stuck', 1024 * 1024 * 1024), client).catch(() => undefined);
  let before = 0;
  const hasStopped = (): boolean => {
    const same = relay.bytesUp > 0 && relay.bytesUp === before;
    before = relay.bytesUp;
    return same;
  };
  await until('nothing moves', hasStopped, { everyMs: 300 });
  assert.ok(relay.bytesUp < 64 * 1024 * 1024, `${relay.bytesUp} bytes were taken`);
  relay.drop();
  await feed;
});

test('drop in the middle of a half-close leaves no socket behind', async (t) => {
  const { relay, server, client } = await setUp(t, echo);
  client.on('error', () => undefined).resume();
  await until('it is connected', () => server.total === 1);
  client.end('bye');
  await until('its end is under way', () => relay.bytesUp === 3);
  relay.drop();
  await until('both are closed', () => server.open === 0 && relay.open === 0);
});
