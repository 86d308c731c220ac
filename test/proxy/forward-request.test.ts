import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { readAll, until } from '../forward/streams.ts';
import { ask, sendRaw, start, startUpstream } from './start.ts';

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

test('a connection that is in use when the way changes is not used again', async (t) => {
  const app = await startUpstream(t, (request, response) => {
    if (request.url === '/fast') response.end();
    else app.server.once('go', () => response.end());
  });
  const { port, proxy } = await start(t, { routes: [`/=${app.port}`] });
  const slow = ask(port, '/slow');
  await until(() => app.requests.length === 1);
  proxy.reset();
  app.server.emit('go');
  await slow;
  await until(() => app.sockets.size === 0);
  await ask(port, '/fast');
  assert.equal(app.total, 2);
});

test('requests that are sent without waiting are served one after the other', async (t) => {
  const order: string[] = [];
  const app = await startUpstream(t, (request, response) => {
    order.push(`${request.url} begins`);
    const finish = (): void => {
      order.push(`${request.url} ends`);
      response.end(request.url);
    };
    request.resume().on('end', () => setTimeout(finish, request.url === '/1' ? 50 : 0));
  });
  const { port } = await start(t, { routes: [`/=${app.port}`] });
  const post = (path: string, ...fields: string[]): string =>
    [`POST ${path} HTTP/1.1`, 'Host: localhost', 'Content-Length: 1', ...fields, '', 'x'].join('\r\n');
  const answer = await sendRaw(port, post('/1') + post('/2') + post('/3', 'Connection: close'));
  assert.equal(answer.match(/HTTP\/1\.1 200/g)?.length, 3);
  assert.deepEqual(
    order,
    ['/1', '/2', '/3'].flatMap((path) => [`${path} begins`, `${path} ends`]),
  );
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
