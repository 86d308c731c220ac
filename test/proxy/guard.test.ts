import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, start, startUpstream } from './start.ts';

const served: [string, Record<string, string>][] = [
  ['localhost and its port', { Host: 'localhost:PORT' }],
  ['an IPv4 address', { Host: '127.0.0.1:PORT' }],
  ['an IPv6 address', { Host: '[::1]:PORT' }],
  ['a complete name', { Host: 'localhost.' }],
  ['the host of a route', { Host: 'api.localhost:PORT' }],
  ['a host below a wildcard', { Host: 'x.vps.localhost:PORT' }],
  ['a host that is listed', { Host: 'Listed.Example:PORT' }],
  ['a page of ours', { Origin: 'http://localhost:PORT', 'Sec-Fetch-Site': 'same-origin' }],
  ['a page of ours in an older browser', { Origin: 'http://localhost:PORT' }],
  [
    'a page under another name of ours',
    { Origin: 'http://api.localhost:PORT', 'Sec-Fetch-Site': 'cross-site' },
  ],
  ['a page that is allowed', { Origin: 'http://localhost:5173', 'Sec-Fetch-Site': 'same-site' }],
  ['the address bar', { 'Sec-Fetch-Site': 'none' }],
];
for (const [name, headers] of served) {
  test(`a POST from ${name} is served`, async (t) => {
    const app = await startUpstream(t, (request, response) => response.end(request.method));
    const { port } = await start(t, {
      routes: [`/=${app.port}`, `api.localhost/=${app.port}`, `*.vps.localhost/=${app.port}`],
      allowHosts: ['listed.example'],
      allowOrigins: ['http://localhost:5173/'],
    });
    const here = Object.entries(headers).map(([key, value]) => [key, value.replace('PORT', String(port))]);
    const answer = await ask(port, '/', {
      method: 'POST',
      headers: Object.fromEntries(here) as Record<string, string>,
    });
    assert.equal(answer.status, 200, answer.body);
  });
}

test('a page of another site may look, and may ask whether it may do more', async (t) => {
  const app = await startUpstream(t, (_, response) => response.end());
  const { port } = await start(t, { routes: [`/=${app.port}`] });
  const headers = { Origin: 'http://evil.example', 'Sec-Fetch-Site': 'cross-site' };
  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    assert.equal((await ask(port, '/', { method, headers })).status, 200);
  }
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']) {
    const answer = await ask(port, '/', { method, headers });
    assert.equal(answer.status, 403);
    assert.match(answer.body, /--allow-origin http:\/\/evil\.example/);
  }
});

test('an unknown host is told which are known', async (t) => {
  const { port } = await start(t, { routes: ['api.localhost/=80'] });
  const answer = await ask(port, '/', { headers: { Host: 'evil.example' } });
  assert.equal(answer.status, 421);
  assert.match(answer.body, /localhost, 127\.0\.0\.1, ::1, api\.localhost/);
});
