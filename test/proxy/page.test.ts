import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionLostError, DialError } from '../../src/errors.ts';
import { renderNotice } from '../../src/proxy/page.ts';
import { ask, dialFails, start } from './start.ts';

const chrome = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8';

const kinds: [string, string, RegExp][] = [
  ['a browser', chrome, /^text\/html/],
  ['curl', '*/*', /^text\/plain/],
  ['a client that asks for JSON', 'application/json, text/plain, */*', /^application\/json/],
  ['a client that asks for JSON of its own', 'application/problem+json', /^application\/json/],
  ['a client that refuses html', 'text/html;q=0, */*', /^text\/plain/],
  ['a client that says nothing', '', /^text\/plain/],
];
for (const [who, accept, type] of kinds) {
  test(`${who} is told in its own language`, () => {
    const notice = { status: 502, code: 'x', why: 'why', hint: [] };
    assert.match(renderNotice(notice, accept).type, type);
  });
}

test('everything that is put into a page is escaped', async (t) => {
  const evil = '<script>alert("1")</script>\u001b[31m';
  const dial = dialFails(new DialError('x', `no ${evil}`, { hint: [evil] }));
  const { port } = await start(t, { routes: ['/=80'], dial, describe: () => evil });
  const page = await ask(port, `/${encodeURIComponent(evil)}`, { headers: { Accept: chrome } });
  assert.equal(page.status, 502);
  assert.ok(!page.body.includes('<script>') && !page.body.includes('\u001b'));
  assert.match(page.body, /&lt;script&gt;alert\(&quot;1&quot;\)&lt;\/script&gt;/);
  assert.match(String(page.headers['content-security-policy']), /default-src 'none'/);
  const text = await ask(port, '/', { headers: { Accept: '*/*' } });
  assert.ok(!text.body.includes('\u001b'));
});

test('a page that waits for the session loads itself again', async (t) => {
  const dial = dialFails(new ConnectionLostError('held-too-long', 'vps could not be reached'));
  const { port } = await start(t, { routes: ['/=80'], dial });
  const page = await ask(port, '/', { headers: { Accept: chrome } });
  assert.equal(page.status, 503);
  assert.match(page.body, /<meta http-equiv="refresh" content="2">/);
  assert.equal(page.headers['retry-after'], '2');
  assert.equal(page.headers['cache-control'], 'no-store');
});

test('where no route leads, the routes are listed', async (t) => {
  const { port } = await start(t, { routes: ['/api/*=~/api/app.sock', 'a.localhost/=5000'] });
  const answer = await ask(port, '/other');
  assert.equal(answer.status, 404);
  assert.match(answer.body, /There is nothing at \/other/);
  assert.match(answer.body, /\/api\/\* → ~\/api\/app\.sock\n/);
  assert.match(answer.body, /a\.localhost\/ → 5000\n/);
});
