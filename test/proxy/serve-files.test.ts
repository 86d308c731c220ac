import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { tempFolder } from '../forward/streams.ts';
import { ask, start, type Started } from './start.ts';

const text = 'abcdefghij'.repeat(100);

async function startFolder(t: TestContext, options = '', place = '/'): Promise<Started> {
  const folder = tempFolder(t);
  mkdirSync(join(folder, 'docs/empty'), { recursive: true });
  writeFileSync(join(folder, 'index.html'), '<h1>Home</h1>');
  writeFileSync(join(folder, 'docs/index.html'), '<h1>Docs</h1>');
  writeFileSync(join(folder, 'a.txt'), text);
  writeFileSync(join(folder, 'app.js'), '1');
  writeFileSync(join(folder, 'data'), '1');
  writeFileSync(join(folder, 'b.css'), 'plain');
  writeFileSync(join(folder, 'b.css.br'), 'brotli');
  writeFileSync(join(folder, 'b.css.gz'), gzipSync('plain'));
  writeFileSync(join(folder, 'ü b.txt'), 'umlaut');
  symlinkSync('a.txt', join(folder, 'link.txt'));
  return start(t, { routes: [`${place}=${folder}/${options}`] });
}

test('a file comes with its type, its length, and what a later request can be compared with', async (t) => {
  const { port, records } = await startFolder(t);
  const answer = await ask(port, '/a.txt');
  assert.equal(answer.body, text);
  assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
  assert.equal(answer.headers['content-length'], '1000');
  assert.equal(answer.headers['accept-ranges'], 'bytes');
  assert.ok(answer.headers.etag !== undefined && answer.headers['last-modified'] !== undefined);
  assert.equal(records[0]?.bytesDown, 1000);
  assert.equal((await ask(port, '/app.js')).headers['content-type'], 'text/javascript; charset=utf-8');
  assert.equal((await ask(port, '/data')).headers['content-type'], 'application/octet-stream');
  assert.equal((await ask(port, '/%C3%BC%20b.txt')).body, 'umlaut');
  assert.equal((await ask(port, '/link.txt')).body, text);
});

test('a file that has not changed is not sent again, and a part of it is a part', async (t) => {
  const { port } = await startFolder(t);
  const { headers } = await ask(port, '/a.txt');
  const etag = String(headers.etag);
  const since = String(headers['last-modified']);
  const cases: [Record<string, string>, number, string][] = [
    [{ 'If-None-Match': etag }, 304, ''],
    [{ 'If-Modified-Since': since }, 304, ''],
    [{ 'If-None-Match': '"other"' }, 200, text],
    [{ 'If-Match': '"other"' }, 412, ''],
    [{ Range: 'bytes=0-3' }, 206, 'abcd'],
    [{ Range: 'bytes=-2' }, 206, 'ij'],
    [{ Range: 'bytes=2000-' }, 416, ''],
    [{ Range: 'bytes=0-3', 'If-Range': '"other"' }, 200, text],
  ];
  for (const [fields, status, body] of cases) {
    const answer = await ask(port, '/a.txt', { headers: fields });
    assert.equal(answer.status, status, JSON.stringify(fields));
    if (status < 400) assert.equal(answer.body, body);
  }
  const head = await ask(port, '/a.txt', { method: 'HEAD' });
  assert.deepEqual([head.headers['content-length'], head.body], ['1000', '']);
});

test('a folder is its index file, at the path with the slash', async (t) => {
  const { port } = await startFolder(t);
  assert.equal((await ask(port, '/')).body, '<h1>Home</h1>');
  assert.equal((await ask(port, '/docs/')).body, '<h1>Docs</h1>');
  const folder = await ask(port, '/docs?a=b');
  assert.deepEqual([folder.status, folder.headers.location], [308, '/docs/?a=b']);
  const file = await ask(port, '/a.txt/');
  assert.deepEqual([file.status, file.headers.location], [308, '/a.txt']);
  assert.equal((await ask(port, '/docs/empty/')).status, 404);
  const sneaky = await ask(port, '//docs');
  assert.equal(sneaky.headers.location, '/docs/');
});

test('under a prefix a folder redirects to where the browser sees it', async (t) => {
  const { port } = await startFolder(t, '', '/site/*');
  assert.equal((await ask(port, '/site/docs')).headers.location, '/site/docs/');
  assert.equal((await ask(port, '/site/')).body, '<h1>Home</h1>');
});

test('a compressed neighbour is sent to who takes it', async (t) => {
  const { port } = await startFolder(t);
  const cases: [string, string | undefined, string][] = [
    ['gzip, br', 'br', 'brotli'],
    ['br;q=0, gzip', 'gzip', String(gzipSync('plain'))],
    ['identity', undefined, 'plain'],
  ];
  for (const [accept, encoding, body] of cases) {
    const answer = await ask(port, '/b.css', { headers: { 'Accept-Encoding': accept } });
    assert.equal(answer.headers['content-encoding'], encoding);
    assert.equal(answer.headers['content-type'], 'text/css; charset=utf-8');
    assert.equal(answer.headers.vary, 'Accept-Encoding');
    assert.equal(answer.body, body);
  }
});

test('with spa a path without a file is the app, and without it nothing', async (t) => {
  const plain = await startFolder(t);
  assert.equal((await ask(plain.port, '/some/view')).status, 404);
  const spa = await startFolder(t, ',spa');
  const answer = await ask(spa.port, '/some/view?x=1');
  assert.deepEqual([answer.status, answer.body], [200, '<h1>Home</h1>']);
  assert.equal((await ask(spa.port, '/app.js')).body, '1');
  assert.equal((await ask(spa.port, '/docs')).body, '<h1>Home</h1>');
});

test('a file is not changed by any method', async (t) => {
  const { port } = await startFolder(t);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const answer = await ask(port, '/a.txt', { method });
    assert.deepEqual([answer.status, answer.headers.allow], [405, 'GET, HEAD'], method);
  }
});

test('what is hidden is not there', async (t) => {
  const folder = tempFolder(t);
  mkdirSync(join(folder, 'private'));
  for (const name of ['Caddyfile', 'old.bak', 'private/a.txt', 'a.txt'])
    writeFileSync(join(folder, name), name);
  const hide = [join(folder, 'Caddyfile'), '*.bak', 'private'];
  const rules = [
    { match: [], steps: [{ do: 'files', folder, index: [], hide, precompressed: [] }] },
  ] as const;
  const { port } = await start(t, { rules });
  for (const name of ['Caddyfile', 'old.bak', 'private/a.txt'])
    assert.equal((await ask(port, `/${name}`)).status, 404);
  assert.equal((await ask(port, '/a.txt')).status, 200);
});

test('without a root there are no files', async (t) => {
  const rules = [{ match: [], steps: [{ do: 'files', index: [], hide: [], precompressed: [] }] }] as const;
  const { port } = await start(t, { rules });
  assert.equal((await ask(port, '/package.json')).status, 404);
});

test('encode compresses what can be compressed, and leaves an event stream alone', async (t) => {
  const folder = tempFolder(t);
  writeFileSync(join(folder, 'a.txt'), text);
  writeFileSync(join(folder, 'small.txt'), 'small');
  const { port } = await start(t, {
    rules: [
      {
        match: [],
        steps: [
          { do: 'encode', encodings: ['zstd', 'gzip'] },
          { do: 'files', folder, index: [], hide: [], precompressed: [] },
        ],
      },
    ],
  });
  const headers = { 'Accept-Encoding': 'br, gzip' };
  const answer = await ask(port, '/a.txt', { headers });
  assert.equal(answer.headers['content-encoding'], 'gzip');
  assert.equal((await ask(port, '/small.txt', { headers })).headers['content-encoding'], undefined);
  assert.equal((await ask(port, '/a.txt')).headers['content-encoding'], undefined);
});
