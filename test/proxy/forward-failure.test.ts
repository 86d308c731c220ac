import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { ConnectionLostError, DialError } from '../../src/errors.ts';
import { dialLocal } from '../../src/forward/local-dialer.ts';
import { freePort, until } from '../forward/streams.ts';
import { ask, dialFails, start, startRawUpstream, startUpstream } from './start.ts';

for (const [method, status] of [
  ['GET', 200],
  ['DELETE', 200],
  ['POST', 502],
] as const) {
  test(`a ${method} on a pooled connection that is dead is answered ${status}`, async (t) => {
    let dead = false;
    let seen = 0;
    const app = await startUpstream(t, (request, response) => {
      seen++;
      if (dead) {
        dead = false;
        request.socket.destroy();
      } else response.end('x');
    });
    const { port, records } = await start(t, { routes: [`/=${app.port}`] });
    await ask(port, '/');
    dead = true;
    const answer = await ask(port, '/', { method });
    assert.equal(answer.status, status);
    assert.equal(seen, status === 200 ? 3 : 2);
    await until(() => records.length === 2);
    assert.equal(records[1]?.retried, status === 200 ? true : undefined);
  });
}

test('a request is not sent again once a byte of the answer has come', async (t) => {
  let connections = 0;
  const app = await startRawUpstream(t, (socket) => {
    connections++;
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx');
      socket.once('data', () => socket.end('HTTP/1.1 2'));
    });
  });
  const { port } = await start(t, { routes: [`/=${app.port}`] });
  assert.equal((await ask(port, '/')).status, 200);
  assert.equal((await ask(port, '/')).status, 502);
  assert.equal(connections, 1);
});

test('an upstream that dies during its answer ends that answer visibly broken', async (t) => {
  const headers = {
    length: 'Content-Length: 100\r\n',
    chunks: 'Transfer-Encoding: chunked\r\n',
  };
  for (const framing of Object.values(headers)) {
    const app = await startRawUpstream(t, (socket) => {
      socket.once('data', () => {
        socket.write(
          `HTTP/1.1 200 OK\r\n${framing}\r\n${framing === headers.chunks ? '4\r\nhalf\r\n' : 'half'}`,
        );
        setTimeout(() => socket.destroy(), 20);
      });
    });
    const { port, records } = await start(t, { routes: [`/=${app.port}`] });
    await assert.rejects(ask(port, '/'), { code: 'ECONNRESET' });
    await until(() => records.length === 1);
    assert.equal(records[0]?.error, 'answer-broken');
    assert.equal(records[0]?.incomplete, true);
  }
});

test('a client that leaves takes its request at the upstream with it', async (t) => {
  const app = await startUpstream(t, (_, response) => response.flushHeaders());
  const { port, records } = await start(t, { routes: [`/=${app.port}`] });
  const request = httpRequest({ host: '127.0.0.1', port, headers: { Host: 'localhost' } }).end();
  await once(request, 'response');
  request.on('error', () => {});
  assert.equal(app.sockets.size, 1);
  request.destroy();
  await until(() => app.sockets.size === 0 && records.length === 1);
  assert.equal(records[0]?.incomplete, true);
});

test('a client that leaves while its connection is opened gives that up', async (t) => {
  let given: AbortSignal | undefined;
  const { port, records } = await start(t, {
    routes: ['/=80'],
    dial: (_, signal) =>
      new Promise((_resolve, reject) => {
        given = signal;
        signal?.addEventListener('abort', () => reject(signal.reason as Error));
      }),
  });
  const socket = connect(port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await until(() => given !== undefined);
  socket.destroy();
  await until(() => given?.aborted === true && records.length === 1);
  assert.equal(records[0]?.status, 499);
});

test('an upstream that answers before it has the whole request is let go, and the client can ask again', async (t) => {
  const app = await startRawUpstream(t, (socket) =>
    socket.once('data', () => socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig')),
  );
  const { port } = await start(t, { routes: [`/=${app.port}`] });
  const head = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n';
  const client = connect(port, '127.0.0.1');
  t.after(() => client.destroy());
  client.write(head);
  assert.match(String((await once(client, 'data'))[0]), /413/);
  await until(() => app.sockets.every(({ destroyed, readableEnded }) => destroyed || readableEnded));
  client.write(`${'x'.repeat(200_000)}${head}`);
  assert.match(String((await once(client, 'data'))[0]), /413/);
  assert.equal(app.sockets.length, 2);
});

test('of several upstreams the first that can be connected to gets the request, body and all', async (t) => {
  const app = await startUpstream(t, (request, response) => request.pipe(response));
  const dead = await freePort();
  const upstreams = [dead, app.port].map((port) => ({ kind: 'tcp', host: '127.0.0.1', port }) as const);
  const dialled: number[] = [];
  const { port } = await start(t, {
    rules: [{ match: [], steps: [{ do: 'proxy', upstreams }] }],
    dial: async (endpoint, signal) => {
      dialled.push(endpoint.kind === 'tcp' ? endpoint.port : 0);
      return dialLocal(endpoint, signal);
    },
  });
  for (const body of ['first', 'second']) {
    const headers = { Connection: 'close' };
    assert.equal((await ask(port, '/', { method: 'POST', body, headers })).body, body);
  }
  assert.equal(dialled[0], dead);
  assert.equal(dialled.filter((port) => port === dead).length, 1);
});

for (const [error, status] of [
  [new DialError('socket-missing', 'Cannot open ~/app.sock on vps: no such socket'), 502],
  [new DialError('connect-timeout', 'no answer'), 504],
  [new ConnectionLostError('connection-lost', 'The connection to vps was lost'), 503],
  [new ConnectionLostError('held-too-long', 'vps could not be reached in time'), 503],
] as const) {
  test(`a dial that fails with ${error.code} is answered ${status}`, async (t) => {
    const { port, records } = await start(t, { routes: ['/=80'], dial: dialFails(error) });
    const answer = await ask(port, '/', { headers: { Accept: 'application/json' } });
    assert.equal(answer.status, status);
    const told = JSON.parse(answer.body) as Record<string, unknown>;
    assert.deepEqual(
      [told['code'], told['error'], told['upstream']],
      [error.code, error.message, 'localhost:80'],
    );
    assert.equal(answer.headers['retry-after'], status === 503 ? '2' : undefined);
    await until(() => records.length === 1);
    assert.equal(records[0]?.error, error.code);
  });
}

test('an upstream that does not answer in time is answered 504', async (t) => {
  const app = await startRawUpstream(t, () => {});
  const { port } = await start(t, { routes: [`/=${app.port}`], answerTimeoutMs: 50 });
  const answer = await ask(port, '/');
  assert.equal(answer.status, 504);
  assert.match(answer.body, /has not answered within/);
});

test('an upstream that does not speak HTTP is answered 502 with what may be wrong', async (t) => {
  const app = await startRawUpstream(t, (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
  const { port } = await start(t, { routes: [`/=${app.port}`] });
  const answer = await ask(port, '/');
  assert.equal(answer.status, 502);
  assert.match(answer.body, /is not HTTP[^]*another port or socket/);
});
