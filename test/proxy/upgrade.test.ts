import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { dialLocal } from '../../src/forward/local-dialer.ts';
import { closed, until } from '../forward/streams.ts';
import { sendRaw, start, startRawUpstream, startUpstream, type Upstream } from './start.ts';

async function startEcho(t: TestContext): Promise<Upstream & { readonly sockets2: WebSocketServer }> {
  const app = await startUpstream(t, (_, response) => response.writeHead(426).end('upgrade, please'));
  const sockets2 = new WebSocketServer({ server: app.server, path: '/echo', handleProtocols: () => 'chat' });
  sockets2.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }));
  });
  return { ...app, sockets2 };
}

async function open(t: TestContext, url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, ['chat', 'other']);
  socket.on('error', () => {});
  t.after(() => socket.terminate());
  await once(socket, 'open');
  return socket;
}

test('a WebSocket is carried both ways, and counted when it is over', async (t) => {
  const app = await startEcho(t);
  const { port, proxy, records } = await start(t, { routes: [`/ws/*=${app.port}`] });
  const socket = await open(t, `ws://localhost:${port}/ws/echo`);
  assert.equal(socket.protocol, 'chat');
  for (const size of [0, 1, 125, 70_000, 1_000_000]) {
    const data = Buffer.alloc(size, size);
    socket.send(data);
    assert.ok(((await once(socket, 'message')) as [Buffer])[0].equals(data));
  }
  socket.close(4000, 'enough');
  assert.equal(((await once(socket, 'close')) as [number])[0], 4000);
  await until(() => records.length === 1);
  assert.deepEqual([records[0]?.status, records[0]?.upgrade], [101, 'websocket']);
  assert.ok(proxy.bytesUp > 1_000_000 && proxy.bytesDown > 1_000_000);
  await until(() => app.sockets.size === 0);
});

test('an upstream that declines an upgrade is heard', async (t) => {
  const app = await startEcho(t);
  const { port } = await start(t, { routes: [`/=${app.port}`] });
  const socket = new WebSocket(`ws://localhost:${port}/elsewhere`);
  const [error] = (await once(socket, 'error')) as [Error];
  assert.match(error.message, /Unexpected server response: 400/);
});

test('either side that vanishes takes the other with it', async (t) => {
  const app = await startEcho(t);
  const { port } = await start(t, { routes: [`/=${app.port}`] });
  const left = await open(t, `ws://localhost:${port}/echo`);
  left.terminate();
  await until(() => app.sockets.size === 0);
  const right = await open(t, `ws://localhost:${port}/echo`);
  for (const socket of app.sockets) socket.destroy();
  assert.equal(((await once(right, 'close')) as [number])[0], 1006);
});

test('another protocol than WebSocket is carried with its half-closes, and with what was sent ahead', async (t) => {
  const app = await startRawUpstream(t, (socket) => {
    socket.once('data', (data: Buffer) => {
      assert.match(String(data), /^GET \/x HTTP\/1\.1\r\n[^]*Upgrade: shout[^]*Connection: Upgrade\r\n/i);
      socket.write('HTTP/1.1 101 Go On\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\nHELLO ');
      socket.on('data', (words: Buffer) => socket.write(String(words).toUpperCase()));
      socket.on('end', () => socket.end('BYE'));
    });
  });
  const { port } = await start(t, { routes: [`/=${app.port}`] });
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  client.end('GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\nahead ');
  let text = '';
  client.on('data', (data: Buffer) => (text += String(data)));
  await closed(client);
  assert.match(text, /^HTTP\/1\.1 101 Go On\r\n[^]*\r\n\r\nHELLO AHEAD BYE$/);
});

test('a change of protocol that nobody asked for is answered 502', async (t) => {
  const app = await startRawUpstream(t, (socket) =>
    socket.once('data', () => socket.write('HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')),
  );
  const { port } = await start(t, { routes: [`/=${app.port}`] });
  const answer = await sendRaw(port, 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 502 /);
});

test('a channel that is no socket serves as a connection, is kept and let go', async (t) => {
  const app = await startUpstream(t, (request, response) => {
    if (request.url === '/close') response.setHeader('Connection', 'close');
    request.pipe(response);
  });
  const channels: Duplex[] = [];
  const { port, proxy } = await start(t, {
    routes: [`/=${app.port}`],
    dial: async (endpoint, signal) => {
      const channel = bare(await dialLocal(endpoint, signal));
      channels.push(channel);
      return channel;
    },
  });
  const post = (path: string): string =>
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody`;
  assert.match(await sendRaw(port, post('/')), /body/);
  assert.match(await sendRaw(port, post('/')), /body/);
  assert.equal(channels.length, 1);
  assert.match(await sendRaw(port, post('/close')), /body/);
  await until(() => channels.every((channel) => channel.destroyed));
  await sendRaw(port, post('/'));
  await proxy.close();
  await until(() => channels.every((channel) => channel.destroyed));
});

/** As a channel of ssh2: a Duplex with nothing of net.Socket. */
function bare(socket: Duplex): Duplex {
  return new Duplex({
    allowHalfOpen: true,
    read() {
      socket.resume();
    },
    write: (chunk, _encoding, done) => void socket.write(chunk as Buffer, () => done()),
    final: (done) => void socket.end(() => done()),
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
    construct(done) {
      socket.on('data', (chunk) => this.push(chunk) || socket.pause());
      socket.on('end', () => this.push(null));
      socket.on('error', (error) => this.destroy(error));
      done();
    },
  });
}
