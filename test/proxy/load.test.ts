import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { randomBlock } from './random-block.ts';
import { startProxyProcess } from './proxy-process.ts';
import { startUpstream } from './start.ts';

/** `npm run load` runs it for as long as the issue asks for. */
const long = process.env['TUNNEL_LOAD'] !== undefined;
const seconds = long ? 60 : 8;
const warmUpSeconds = long ? 10 : 4;
const clients = 500;
const webSockets = 100;

test(`${clients} clients and ${webSockets} WebSockets for ${seconds} s get every byte, and nothing is held on to`, async (t) => {
  const app = await startUpstream(t, (request, response) => {
    if (request.method === 'POST') {
      const hash = createHash('sha256');
      request.on('data', (chunk: Buffer) => hash.update(chunk));
      request.on('end', () => response.end(hash.digest('hex')));
      return;
    }
    response.end(randomBlock(Number(request.url?.slice(1))));
  });
  const echo = new WebSocketServer({ server: app.server });
  echo.on('connection', (socket) => socket.on('message', (data) => socket.send(data as Buffer)));
  t.after(() => echo.close());
  const proxy = await startProxyProcess(t, [`/app/*=127.0.0.1:${app.port}`]);
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  t.after(() => agent.destroy());

  const end = performance.now() + seconds * 1000;
  let requests = 0;
  let messages = 0;
  const ask = async (seed: number): Promise<void> => {
    const posts = seed % 4 === 0;
    const request = httpRequest({
      agent,
      host: '127.0.0.1',
      port: proxy.port,
      path: `/app/${seed}`,
      method: posts ? 'POST' : 'GET',
      headers: { Host: 'localhost' },
    });
    request.end(posts ? randomBlock(seed) : undefined);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const body = Buffer.concat((await response.toArray()) as Buffer[]);
    assert.equal(response.statusCode, 200, String(body));
    if (posts) assert.equal(String(body), createHash('sha256').update(randomBlock(seed)).digest('hex'));
    else assert.ok(body.equals(randomBlock(seed)));
    requests++;
  };
  const client = async (number: number): Promise<void> => {
    let round = 0;
    do await ask(number + round++ * clients);
    while (performance.now() < end);
  };
  const talk = async (number: number): Promise<void> => {
    const socket = new WebSocket(`ws://localhost:${proxy.port}/app/ws`);
    await once(socket, 'open');
    let round = 0;
    do {
      const data = randomBlock(number + round++);
      socket.send(data);
      const [answer] = (await once(socket, 'message')) as [Buffer];
      assert.ok(answer.equals(data));
      messages++;
    } while (performance.now() < end);
    socket.close();
    await once(socket, 'close');
  };
  const warm = new Promise<number>((resolve) =>
    setTimeout(() => void proxy.look().then(({ rss }) => resolve(rss)), warmUpSeconds * 1000),
  );
  await Promise.all([
    ...Array.from({ length: clients }, (_, number) => client(number)),
    ...Array.from({ length: webSockets }, (_, number) => talk(number)),
  ]);
  const { rss, answers } = await proxy.look();
  t.diagnostic(`${requests} requests, ${messages} messages, ${Math.round(rss / 1e6)} MB`);
  assert.deepEqual(Object.keys(answers).toSorted(), ['101', '200']);
  assert.equal(answers['200'], requests);
  assert.ok(messages >= webSockets);
  // What it takes to have so many clients is there after a while; it does not grow from then on, but for what the
  // collector has not got to yet. In the short form that while is not over.
  const most = long ? (await warm) + 60e6 : 300e6;
  assert.ok(rss < most, `${Math.round((await warm) / 1e6)} MB and then ${Math.round(rss / 1e6)} MB`);
});
