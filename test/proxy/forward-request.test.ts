import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { ConnectionLostError, DialError } from '../../src/errors.ts';
import { freePort, readAll, until } from '../forward/streams.ts';
import { dialLocal } from '../../src/forward/local-dialer.ts';
import { ask, dialFails, sendRaw, start, startRawUpstream, startUpstream } from './start.ts';

test('a request goes to its upstream without the prefix, and says who the client is whatever it claims', async (t) => {
  const api = await startUpstream(t, (request, response) => {
    response.setHeader('X-Seen', request.url ?? '');
    response.end(JSON.stringify(request.headers));
  });
  const { port, records } = await start(t, { routes: [`/api/*=${api.port}`] });
  const headers = {
    'X-Forwarded-For': '1.2.3.4',
    X_Forwarded_Host: 'evil.example',
    Forwarded: 'for=1.2.3.4',
    'X-Real-IP': '1.2.3.4',
    Proxy: 'http://evil.example',
    'X-Mine': 'kept',
    Connection: 'X-Hop, Content-Length, X-Forwarded-Prefix',
    'X-Hop': 'not passed on',
  };
  const answer = await ask(port, '/api/x?secret=1', { headers });
  assert.equal(answer.headers['x-seen'], '/x?secret=1');
  assert.deepEqual(JSON.parse(answer.body), {
    host: `localhost:${port}`,
    'x-mine': 'kept',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': `localhost:${port}`,
    'x-forwarded-prefix': '/api',
    connection: 'keep-alive',
  });
  await until(() => records.length === 1);
  const [record] = records;
  assert.equal(record?.path, '/api/x');
  assert.equal(record?.status, 200);
  assert.equal(record?.bytesDown, answer.body.length);
  assert.equal(record?.upstream, `localhost:${api.port}`);
  assert.ok(record?.openMs !== undefined && record.appMs !== undefined);
  assert.ok(!JSON.stringify(record).includes('secret'));
});

test('the path reaches the upstream as it was written', async (t) => {
  const app = await startUpstream(t, (request, response) => response.end(request.url));
  const { port } = await start(t, { routes: [`/=${app.port}`] });
  for (const path of ['/a%2Fb', '//a//b', '/a/../b', '/%2e%2e/x', '/a?b?c=%zz&d', '/a|b"c', '/;x=1', '/*']) {
    assert.equal((await ask(port, path)).body, path);
  }
});

test('an upstream that keeps its connection is asked again on it, and one that does not is not held', async (t) => {
  let keep = true;
  const app = await startUpstream(t, (_, response) => {
    if (!keep) response.setHeader('Connection', 'close');
    response.end('x');
  });
  const { port, proxy } = await start(t, { routes: [`/=${app.port}`] });
  for (let count = 0; count < 3; count++) await ask(port, '/');
  assert.equal(app.total, 1);
  proxy.reset();
  await ask(port, '/');
  assert.equal(app.total, 2);
  keep = false;
  await ask(port, '/');
  await until(() => app.sockets.size === 0);
});

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

test('trailers go both ways', async (t) => {
  const app = await startUpstream(t, (request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, { Trailer: 'X-Sum' });
      response.write('body');
      response.addTrailers({ 'X-Sum': request.trailers['x-up'] ?? '' });
      response.end();
    });
  });
  const { port } = await start(t, { routes: [`/=${app.port}`] });
  const request = httpRequest({
    host: '127.0.0.1',
    port,
    method: 'POST',
    headers: { Host: 'localhost', Trailer: 'X-Up', 'Transfer-Encoding': 'chunked' },
  });
  request.write('x');
  request.addTrailers({ 'X-Up': '42' });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  assert.equal(String(await readAll(response)), 'body');
  assert.deepEqual(response.trailers, { 'x-sum': '42' });
});

test('the upstream decides whether a client that expects 100-continue sends its body', async (t) => {
  const app = await startUpstream(t, (_, response) => response.end());
  app.server.on('checkContinue', (request, response) => {
    if (request.url === '/no') {
      response.writeHead(413, { Connection: 'close', 'Content-Length': 9 }).end('too large');
    } else {
      response.writeContinue();
      request.pipe(response);
    }
  });
  const { port } = await start(t, { routes: [`/=${app.port}`] });
  const head = (path: string) =>
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n`;
  assert.match(
    await sendRaw(port, `${head('/yes')}body`),
    /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK[^]*body/,
  );
  assert.match(await sendRaw(port, head('/no')), /^HTTP\/1\.1 413 [^]*too large$/);
});

test('a DELETE with a chunked body stays one request', async (t) => {
  const app = await startUpstream(t, (request, response) => request.pipe(response));
  const { port } = await start(t, { routes: [`/=${app.port}`] });
  const chunked = { 'Transfer-Encoding': 'chunked' };
  const body = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';
  assert.equal((await ask(port, '/', { method: 'DELETE', headers: chunked, body })).body, body);
  assert.deepEqual(
    app.requests.map(({ url }) => url),
    ['/'],
  );
});

test('a HEAD, a 204 and a 304 have no body, and keep what their header says', async (t) => {
  const app = await startUpstream(t, (request, response) => {
    const status = Number(request.url?.slice(1));
    response.writeHead(status, status === 200 ? { 'Content-Length': '1234' } : { ETag: '"x"' }).end();
  });
  const { port } = await start(t, { routes: [`/=${app.port}`] });
  const head = await ask(port, '/200', { method: 'HEAD' });
  assert.equal(head.headers['content-length'], '1234');
  for (const status of [204, 304]) {
    const answer = await ask(port, `/${status}`);
    assert.deepEqual([answer.status, answer.body, answer.headers['etag']], [status, '', '"x"']);
  }
});

test('an event arrives when it is sent', async (t) => {
  const app = await startUpstream(t, (_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.flushHeaders();
    app.server.on('event', (text: string) => response.write(`data: ${text}\n\n`));
  });
  const { port } = await start(t, { routes: [`/=${app.port}`] });
  const request = httpRequest({ host: '127.0.0.1', port, headers: { Host: 'localhost' } }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  for (const text of ['one', 'two']) {
    app.server.emit('event', text);
    assert.equal(String((await once(response, 'data'))[0]), `data: ${text}\n\n`);
  }
  request.destroy();
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
