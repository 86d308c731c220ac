import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import type { Endpoint } from '../../src/endpoint.ts';
import { DialError, ListenError } from '../../src/errors.ts';
import { openLocalForward } from '../../src/forward/local.ts';
import { connected, connectRequest, curl, dialFarTest, heldDialer, openSocks } from './socks-client.ts';
import {
  closed,
  connectTo,
  dialHere,
  freePort,
  random,
  readAll,
  startFarServer,
  tempFolder,
  until,
} from './streams.ts';

/** A web server that answers with `body`. */
async function startWeb(t: TestContext, body: Buffer | string): Promise<number> {
  const server = createServer((_, response) => response.end(body)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A connection through the proxy that is granted, with the answer read. */
async function connectThrough(t: TestContext, proxy: Endpoint, target: Endpoint) {
  const client = await connectTo(t, proxy);
  client.write(connectRequest(target));
  await once(client, 'readable');
  await until(() => client.readableLength >= connected.length);
  assert.deepEqual(client.read(connected.length), connected);
  return client;
}

for (const [flag, name, host] of [
  ['--socks4', '127.0.0.1', '127.0.0.1'],
  ['--socks5', '127.0.0.1', '127.0.0.1'],
  ['--socks4a', 'far.test', 'far.test'],
  ['--socks5-hostname', 'far.test', 'far.test'],
] as const) {
  test(`curl ${flag} http://${name} gets the page, with ${host} dialled`, async (t) => {
    const port = await startWeb(t, 'the page');
    const socks = await openSocks(t);
    const result = await curl(t, flag, `127.0.0.1:${socks.port}`, `http://${name}:${port}/`);
    assert.deepEqual([result.stdout, result.stderr, result.status], ['the page', '', 0]);
    assert.deepEqual(socks.asked, [{ kind: 'tcp', host, port }]);
    assert.deepEqual(socks.errors, []);
  });
}

test('curl gets 4 MiB unchanged, and its bytes are counted without those of SOCKS', async (t) => {
  const page = random(4);
  const port = await startWeb(t, page);
  const socks = await openSocks(t);
  const proxy = `127.0.0.1:${socks.port}`;
  const result = await curl(t, '-i', '--socks5-hostname', proxy, `http://far.test:${port}/`);
  assert.ok(result.bytes.subarray(-page.length).equals(page));
  await until(() => socks.forward.open === 0);
  assert.equal(socks.forward.total, 1);
  assert.equal(socks.forward.bytesDown, result.bytes.length);
});

test('curl is told that a name is unknown, and the error is reported', async (t) => {
  const error = new DialError('unknown-host', 'nowhere.test is not known there');
  const socks = await openSocks(t, { dial: () => Promise.reject(error) });
  const proxy = `127.0.0.1:${socks.port}`;
  const result = await curl(t, '--socks5-hostname', proxy, 'http://nowhere.test/');
  assert.equal(result.status, 97);
  // curl's number is the reply of RFC 1928.
  assert.match(result.stderr, /\(4\)/);
  assert.deepEqual(socks.errors, [error]);
});

test('curl that takes the port for an HTTP proxy is told in HTTP what it is', async (t) => {
  const socks = await openSocks(t);
  const result = await curl(t, '--proxy', `http://127.0.0.1:${socks.port}`, 'http://far.test/');
  assert.match(result.stdout, /SOCKS proxy/);
});

test('both loopback addresses are listened on, with one auto port that is the same each time', async (t) => {
  const spec = { kind: 'dynamic', listen: { kind: 'tcp', port: 'auto' } } as const;
  const options = { spec, dial: dialHere, remoteName: randomUUID() };
  const first = await openLocalForward(options);
  await first.close();
  const second = await openLocalForward(options);
  t.after(() => second.close());
  assert.deepEqual(second.bound, first.bound);
  const [ipv4, ipv6] = second.bound;
  assert.ok(ipv4?.kind === 'tcp' && ipv6?.kind === 'tcp');
  assert.deepEqual([ipv4.host, ipv6.host, ipv6.port], ['127.0.0.1', '::1', ipv4.port]);
});

test('a Unix socket is listened on with mode 0600', async (t) => {
  const path = join(tempFolder(t), 'socks.sock');
  const far = await startFarServer(t, (socket) => socket.end('here'));
  const forward = await openLocalForward({
    spec: { kind: 'dynamic', listen: { kind: 'unix', path } },
    dial: dialHere,
    remoteName: 'vps',
  });
  t.after(() => forward.close());
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const client = await connectThrough(t, { kind: 'unix', path }, far.endpoint);
  assert.equal((await readAll(client)).toString(), 'here');
});

test('a port in use is a ListenError whose advice is another -D', async (t) => {
  const port = await freePort();
  const spec = { kind: 'dynamic', listen: { kind: 'tcp', port } } as const;
  const first = await openLocalForward({ spec, dial: dialHere, remoteName: 'vps' });
  t.after(() => first.close());
  await assert.rejects(openLocalForward({ spec, dial: dialHere, remoteName: 'vps' }), (error) => {
    assert.ok(error instanceof ListenError);
    assert.equal(error.code, 'port-in-use');
    assert.match(error.hint.join('\n'), new RegExp(`: -D ${port === 65_535 ? port - 1 : port + 1}$`));
    return true;
  });
});

test('a client that stops sending still gets its answer', async (t) => {
  const far = await startFarServer(t, (socket) => {
    void readAll(socket).then((asked) => socket.end(`answer to ${asked.toString()}`));
  });
  const socks = await openSocks(t);
  const client = await connectThrough(t, socks.endpoint, far.endpoint);
  client.end('question');
  assert.equal((await readAll(client)).toString(), 'answer to question');
});

test('a far end that stops sending still gets what the client sends', async (t) => {
  const far = await startFarServer(t, (socket) => socket.end('all I have'));
  const socks = await openSocks(t);
  const client = await connectThrough(t, socks.endpoint, far.endpoint);
  assert.equal((await readAll(client)).toString(), 'all I have');
  client.end('more');
  const [socket] = far.sockets;
  assert.ok(socket);
  assert.equal((await readAll(socket)).toString(), 'more');
});

test('a far end that resets resets the client, and is reported', async (t) => {
  const far = await startFarServer(t, () => {});
  const socks = await openSocks(t);
  const client = await connectThrough(t, socks.endpoint, far.endpoint);
  await until(() => far.sockets.length === 1);
  far.sockets[0]?.resetAndDestroy();
  await assert.rejects(readAll(client), { code: 'ECONNRESET' });
  await until(() => socks.forward.open === 0);
  assert.deepEqual(
    socks.errors.map((error) => error.code),
    ['connection-broken'],
  );
});

test('a client that resets resets the far end, and is not reported', async (t) => {
  const far = await startFarServer(t, () => {});
  const socks = await openSocks(t);
  const client = await connectThrough(t, socks.endpoint, far.endpoint);
  await until(() => far.sockets.length === 1);
  client.resetAndDestroy();
  const [socket] = far.sockets;
  assert.ok(socket);
  await assert.rejects(readAll(socket), { code: 'ECONNRESET' });
  await until(() => socks.forward.open === 0);
  assert.deepEqual(socks.errors, []);
});

test('a stopped reader stops the far end', async (t) => {
  let sent = 0;
  const far = await startFarServer(t, (socket) => {
    const chunk = Buffer.alloc(64 * 1024);
    const send = (): void => {
      do sent += chunk.length;
      while (socket.write(chunk) && sent < 256 * 1024 * 1024);
    };
    socket.on('drain', send);
    send();
  });
  const socks = await openSocks(t);
  const client = await connectThrough(t, socks.endpoint, far.endpoint);
  client.pause();
  let before = -1;
  for (let still = 0; still < 20;) {
    await sleep(5);
    still = sent === before ? still + 1 : 0;
    before = sent;
  }
  assert.ok(sent < 64 * 1024 * 1024, `${sent} bytes were taken`);
});

test('a hundred clients at once are all served and counted', async (t) => {
  const port = await startWeb(t, 'the page');
  const socks = await openSocks(t, { dial: dialFarTest });
  const target: Endpoint = { kind: 'tcp', host: '127.0.0.1', port };
  const states: string[] = [];
  const counted = await openSocks(t, { onConnection: (state) => states.push(state) });
  for (const { endpoint, forward } of [socks, counted]) {
    await Promise.all(
      Array.from({ length: 100 }, async () => {
        const client = await connectThrough(t, endpoint, target);
        client.end('GET / HTTP/1.0\r\n\r\n');
        assert.match((await readAll(client)).toString(), /the page$/);
      }),
    );
    await until(() => forward.open === 0);
    assert.equal(forward.total, 100);
  }
  assert.equal(states.filter((state) => state === 'opened').length, 100);
  assert.equal(states.filter((state) => state === 'closed').length, 100);
});

test('close refuses new clients at once and lets open connections finish', async (t) => {
  const far = await startFarServer(t, (socket) => socket.pipe(socket));
  const socks = await openSocks(t);
  const client = await connectThrough(t, socks.endpoint, far.endpoint);
  const closing = socks.forward.close({ graceMs: 60_000 });
  await assert.rejects(connectTo(t, socks.endpoint), { code: 'ECONNREFUSED' });
  client.end('still served');
  assert.equal((await readAll(client)).toString(), 'still served');
  await closing;
  assert.equal(socks.forward.open, 0);
});

test('a second close with a shorter time cuts off what is open', async (t) => {
  const far = await startFarServer(t, () => {});
  const socks = await openSocks(t);
  const client = await connectThrough(t, socks.endpoint, far.endpoint);
  const closing = socks.forward.close({ graceMs: 60_000 });
  await socks.forward.close();
  await closing;
  await closed(client);
});

test('a dial that succeeds after the close is given up, and not granted', async (t) => {
  const far = await startFarServer(t, () => {});
  const { dial, release } = heldDialer();
  const socks = await openSocks(t, { dial });
  const client = await connectTo(t, socks.endpoint);
  const received: Buffer[] = [];
  client.on('data', (chunk: Buffer) => received.push(chunk));
  client.write(connectRequest(far.endpoint));
  await until(() => socks.asked.length === 1 && received.length > 0);
  const closing = socks.forward.close();
  release();
  await closing;
  await closed(client);
  assert.deepEqual(Buffer.concat(received), connected.subarray(0, 2));
  await until(() => far.sockets.length === 1);
  await closed(far.sockets[0] as Socket);
});
