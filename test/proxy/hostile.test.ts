import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseRoute } from '../../src/proxy/route.ts';
import { compileRoutes } from '../../src/proxy/compile-routes.ts';
import { tempFolder, until } from '../forward/streams.ts';
import { sendRaw, start, startUpstream } from './start.ts';

const get = (path: string, ...fields: string[]): string =>
  request(`GET ${path} HTTP/1.1`, 'Host: localhost', ...fields);
const post = (...fields: string[]): string =>
  request('POST /api/x HTTP/1.1', 'Host: localhost:PORT', 'Content-Length: 0', ...fields);
const upgrade = (...fields: string[]): string =>
  get(
    '/api/x',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: eA==',
    ...fields,
  );

function request(...lines: string[]): string {
  return `${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`;
}

/** What is sent, and the status that must come. None of it may reach an upstream. */
const smuggling: Record<string, [string, number]> = {
  'both lengths': [get('/api/x', 'Content-Length: 3', 'Transfer-Encoding: chunked'), 400],
  'both lengths, the other way round': [
    get('/api/x', 'Transfer-Encoding: chunked', 'Content-Length: 3'),
    400,
  ],
  'two different lengths': [get('/api/x', 'Content-Length: 3', 'Content-Length: 4'), 400],
  'the same length twice': [get('/api/x', 'Content-Length: 0', 'Content-Length: 0'), 400],
  'a list of lengths': [get('/api/x', 'Content-Length: 3, 3'), 400],
  'a length with a sign': [get('/api/x', 'Content-Length: +3'), 400],
  'a negative length': [get('/api/x', 'Content-Length: -1'), 400],
  'a length in hexadecimal': [get('/api/x', 'Content-Length: 0x3'), 400],
  'a length that no number holds': [get('/api/x', 'Content-Length: 99999999999999999999'), 400],
  'an unknown transfer coding': [get('/api/x', 'Transfer-Encoding: identity'), 400],
  'chunked under another': [get('/api/x', 'Transfer-Encoding: gzip, chunked'), 400],
  'chunked twice': [get('/api/x', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'), 400],
  'chunked and then another': [get('/api/x', 'Transfer-Encoding: chunked, identity'), 400],
  'a vertical tab before chunked': [get('/api/x', 'Transfer-Encoding: \x0Bchunked'), 400],
  'chunked in HTTP/1.0': [
    request('GET /api/x HTTP/1.0', 'Host: localhost', 'Transfer-Encoding: chunked'),
    400,
  ],
  'a space before the colon': [get('/api/x', 'Transfer-Encoding : chunked'), 400],
  'a folded line': [get('/api/x', 'X-A: b\r\n c'), 400],
  'a folded Transfer-Encoding': [get('/api/x', 'Transfer-Encoding:\r\n chunked'), 400],
  'a bare CR in a value': [get('/api/x', 'X-A: b\rTransfer-Encoding: chunked'), 400],
  'bare LF at the end of lines': [get('/api/x').replaceAll('\r\n', '\n'), 400],
  'a NUL in a value': [get('/api/x', 'X-A: b\0c'), 400],
  'a NUL in a name': [get('/api/x', 'X\0A: b'), 400],
  'a field without a name': [get('/api/x', ': b'), 400],
  'a space in a name': [get('/api/x', 'X A: b'), 400],
  'two Hosts': [get('/api/x', 'Host: localhost'), 400],
  'no Host': [request('GET /api/x HTTP/1.1'), 400],
  'a space before the first field': [get('/api/x').replace('Host', ' Host'), 400],
  'a version that does not exist': [request('GET /api/x HTTP/9.1', 'Host: localhost'), 400],
  'the preface of HTTP/2': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  'an answer instead of a request': ['HTTP/1.1 200 OK\r\n\r\n', 400],
  TLS: ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
};

const targets: Record<string, [string, number]> = {
  'another host in the URL': [get('http://evil.example/api/x'), 400],
  'a URL of another scheme': [get('ftp://localhost/api/x'), 400],
  'a path that does not begin with a slash': [get('api/x'), 400],
  'a fragment': [get('/api/x#y'), 400],
  'an escape that is none': [get('/api/%zz'), 400],
  'an asterisk': [get('*'), 400],
  CONNECT: [request('CONNECT evil.example:443 HTTP/1.1', 'Host: localhost'), 405],
  'climbing out of a route': [get('/api/../secret'), 404],
  'climbing out with escapes': [get('/api/%2e%2e/secret'), 404],
  'climbing out of the folder': [get('/files/../../etc/passwd'), 404],
  'climbing out of the folder with escapes': [get('/files/%2e%2e/%2e%2e/etc/passwd'), 404],
  'climbing out with an escaped slash': [get('/files/..%2f..%2fetc%2fpasswd'), 404],
  'climbing out with a backslash': [get('/files/..%5c..%5cetc%5cpasswd'), 404],
  'escapes within escapes': [get('/files/%252e%252e/%252e%252e/etc/passwd'), 404],
  'overlong UTF-8': [get('/files/%c0%ae%c0%ae/etc/passwd'), 404],
  'a NUL in a file name': [get('/files/a.txt%00.html'), 404],
  'a hidden file': [get('/files/.env'), 404],
  'a hidden file with an escaped dot': [get('/files/%2eenv'), 404],
  'a symlink out of the folder': [get('/files/out/passwd'), 404],
  'a symlink to a hidden file': [get('/files/env.txt'), 404],
  'an absolute path': [get('/files//etc/passwd'), 404],
};

const strangers: Record<string, [string, number]> = {
  'a name that was rebound': [get('/api/x').replace('localhost', 'evil.example'), 421],
  'a name that ends like ours': [get('/api/x').replace('localhost', 'localhost.evil.example'), 421],
  'a name that begins like ours': [get('/api/x').replace('localhost', 'evil-localhost'), 421],
  'an address that is not ours': [get('/api/x').replace('localhost', '10.0.0.1'), 421],
  'a user in the Host': [get('/api/x').replace('localhost', 'localhost@evil.example'), 400],
  'a Host that is empty': [get('/api/x').replace('localhost', ''), 400],
  'two names in the Host': [get('/api/x').replace('localhost', 'localhost, evil.example'), 400],
  'a POST from another site': [post('Sec-Fetch-Site: cross-site', 'Origin: http://evil.example'), 403],
  'a POST from another port': [post('Sec-Fetch-Site: same-site', 'Origin: http://localhost:1'), 403],
  'a POST from an older browser': [post('Origin: http://evil.example'), 403],
  'a POST from a sandbox': [post('Origin: null'), 403],
  'a POST from a page over TLS': [post('Origin: https://localhost:PORT'), 403],
  'a WebSocket from another site': [upgrade('Origin: http://evil.example'), 403],
  'a WebSocket that says it is cross-site': [upgrade('Sec-Fetch-Site: cross-site'), 403],
};

const oversized: Record<string, [string, number]> = {
  'a field of 70 kB': [get('/api/x', `X-A: ${'a'.repeat(70_000)}`), 431],
  'ten thousand fields': [
    get('/api/x', ...Array.from({ length: 10_000 }, (_, index) => `X-${index}: a`)),
    431,
  ],
  'a path of 70 kB': [get(`/api/${'a'.repeat(70_000)}`), 431],
  'an upgrade with a body': [upgrade('Content-Length: 3'), 501],
  'an upgrade with a body in chunks': [upgrade('Transfer-Encoding: chunked'), 501],
  'an offer of HTTP/2 with a body': [upgrade('Content-Length: 3').replace('websocket', 'h2c'), 501],
  'an expectation that is not known': [post('Expect: the-unexpected'), 417],
};

const all = { ...smuggling, ...targets, ...strangers, ...oversized };

test(`${Object.keys(all).length} hostile requests get the answer they should, and none reaches an upstream`, async (t) => {
  const folder = tempFolder(t);
  mkdirSync(join(folder, 'www'));
  writeFileSync(join(folder, 'secret'), 'classified');
  writeFileSync(join(folder, 'www/.env'), 'classified');
  writeFileSync(join(folder, 'www/a.txt'), 'a');
  symlinkSync('/etc', join(folder, 'www/out'));
  symlinkSync('.env', join(folder, 'www/env.txt'));
  const app = await startUpstream(t, (_, response) => response.end('reached'));
  const routes = compileRoutes([`/api/*=${app.port}`, `/files/*=${folder}/www/`].map(parseRoute));
  const { port, records } = await start(t, { rules: routes });
  assert.match(await sendRaw(port, get('/files/a.txt')), /^HTTP\/1\.1 200 OK[^]*\r\n\r\na$/);
  assert.ok(Object.keys(all).length >= 50);

  const answers = await Promise.all(
    Object.entries(all).map(async ([name, [bytes, status]]) => {
      const answer = await sendRaw(port, bytes.replaceAll('PORT', String(port)));
      return { name, status, answer };
    }),
  );
  for (const { name, status, answer } of answers) {
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), `${name}: ${answer.slice(0, 200)}`);
    assert.equal(answer.match(/^HTTP\/1\.1/gm)?.length, 1, name);
    assert.ok(!answer.includes('root:') && !answer.includes('classified'), name);
  }
  assert.equal(app.total, 0);
  assert.equal(records.filter(({ status }) => status === 200).length, 1);
});

test('what follows a malformed request on its connection is not read', async (t) => {
  const app = await startUpstream(t, (_, response) => response.end('reached'));
  const { port } = await start(t, { routes: [`/=${app.port}`] });
  const first = 'POST / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n';
  const answer = await sendRaw(port, first + get('/'));
  assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1);
  assert.equal(app.total, 0);
});

test('a malformed request behind a good one does not get into the answer of that', async (t) => {
  const app = await startUpstream(t, (_, response) => setTimeout(() => response.end('slow'), 50));
  const { port } = await start(t, { routes: [`/=${app.port}`] });
  const answer = await sendRaw(
    port,
    'GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\nHost : x\r\n\r\n',
  );
  assert.ok(!answer.includes('400'), answer);
});

test('an offer of HTTP/2 is left alone, and the request is served', async (t) => {
  const app = await startUpstream(t, (request, response) => response.end(request.headers.upgrade ?? 'none'));
  const { port } = await start(t, { routes: [`/=${app.port}`] });
  const offer = get(
    '/',
    'Connection: Upgrade, HTTP2-Settings',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABkAAQAAP__',
  );
  assert.match(await sendRaw(port, offer), /^HTTP\/1\.1 200 OK[^]*none/);
});

test('a value that an upstream or a client sends cannot begin another field', async (t) => {
  const app = await startUpstream(t, (_, response) => response.end());
  const rules = [
    {
      match: [],
      steps: [
        { do: 'headers', ops: { set: [['X-Copy', '{http.request.header.x-in}']] } },
        { do: 'respond', status: 302, body: '', headers: [['Location', '{http.request.uri}']] },
      ],
    },
  ] as const;
  const { port } = await start(t, { rules });
  const answer = await sendRaw(port, get('/%0d%0aSet-Cookie:%20a=b', 'X-In: \xffa\tb'));
  assert.doesNotMatch(answer, /^Set-Cookie/m);
  assert.equal(app.total, 0);
});

test('a client that sends its header slowly, or stops in its body, is told and cut off', async (t) => {
  const app = await startUpstream(t, (request) => request.resume());
  const routes = [`/=${app.port}`];
  const slow = await start(t, { routes, patience: { headerMs: 50 } });
  assert.match(await sendRaw(slow.port, 'GET / HTTP/1.1\r\nHost: local'), /^HTTP\/1\.1 408 /);
  const { port } = await start(t, { routes, patience: { stallMs: 100 } });
  const stalled = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf';
  assert.match(await sendRaw(port, stalled), /^HTTP\/1\.1 408 /);
});

test('an upstream that takes its time is not held against the client', async (t) => {
  const app = await startUpstream(t, (_, response) => setTimeout(() => response.end('late'), 200));
  const { port } = await start(t, { routes: [`/=${app.port}`], patience: { stallMs: 40 } });
  assert.match(await sendRaw(port, get('/')), /late/);
});

test('an upload that its upstream does not take yet is waited for', async (t) => {
  const app = await startUpstream(t, (request, response) => {
    setTimeout(() => request.resume().on('end', () => response.end('taken')), 6000);
  });
  // Longer than a busy machine may stop in the middle of the upload, which is a client's stall too.
  const { port } = await start(t, { routes: [`/=${app.port}`], patience: { stallMs: 4000 } });
  const body = 'x'.repeat(20_000_000);
  const head = `POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`;
  assert.match(await sendRaw(port, head + body), /taken/);
});

test('a client that does not read its answer is cut off', async (t) => {
  const app = await startUpstream(t, (_, response) => response.end(Buffer.alloc(50_000_000)));
  const { port, records } = await start(t, { routes: [`/=${app.port}`], patience: { stallMs: 100 } });
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  socket.write(get('/'));
  await until(() => records.length === 1);
  assert.equal(records[0]?.incomplete, true);
  await until(() => app.sockets.size === 0);
});

test('more clients than there is room for are told so', async (t) => {
  const app = await startUpstream(t, () => {});
  const { port } = await start(t, { routes: [`/=${app.port}`], maxConnections: 1 });
  void sendRaw(port, 'GET / HTTP/1.1\r\n');
  assert.match(await sendRaw(port, get('/')), /^HTTP\/1\.1 503 /);
});
