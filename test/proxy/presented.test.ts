import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, start, startUpstream } from './start.ts';

const as = { scheme: 'https', host: 'app.example.com' } as const;

test('an upstream that is shown its public name sees it everywhere', async (t) => {
  const app = await startUpstream(t, (request, response) => response.end(JSON.stringify(request.headers)));
  const { port } = await start(t, { routes: [`/=${app.port}`], as });
  const headers = {
    Origin: `http://localhost:${port}`,
    Referer: `http://localhost:${port}/login?next=/`,
  };
  const seen = JSON.parse((await ask(port, '/', { method: 'POST', headers })).body) as Record<string, string>;
  assert.equal(seen['host'], 'app.example.com');
  assert.equal(seen['origin'], 'https://app.example.com');
  assert.equal(seen['referer'], 'https://app.example.com/login?next=/');
  assert.equal(seen['x-forwarded-host'], 'app.example.com');
  assert.equal(seen['x-forwarded-proto'], 'https');
});

const cookies: [string, string][] = [
  ['s=1; Domain=app.example.com; Path=/; Secure; HttpOnly', 's=1; Path=/; HttpOnly'],
  ['s=1; domain=.example.com; SameSite=None; secure', 's=1'],
  ['s=1; Domain=other.example; SameSite=Lax', 's=1; Domain=other.example; SameSite=Lax'],
  ['__Host-s=1; Path=/; Secure', '__Host-s=1; Path=/; Secure'],
  ['s="a; b"', 's="a; b"'],
];
for (const [sent, kept] of cookies) {
  test(`a cookie ${sent} is ${kept} here`, async (t) => {
    const app = await startUpstream(t, (_, response) =>
      response.setHeader('Set-Cookie', [sent, 'other=1']).end(),
    );
    const { port } = await start(t, { routes: [`/=${app.port}`], as });
    assert.deepEqual((await ask(port, '/')).headers['set-cookie'], [kept, 'other=1']);
  });
}

const places: [string, string][] = [
  ['https://app.example.com/home?x#y', 'http://localhost:PORT/home?x#y'],
  ['http://APP.example.com', 'http://localhost:PORT'],
  ['//app.example.com/a', 'http://localhost:PORT/a'],
  ['https://app.example.com.evil.example/', 'https://app.example.com.evil.example/'],
  ['https://other.example/', 'https://other.example/'],
  ['/relative', '/relative'],
];
for (const [sent, kept] of places) {
  test(`a redirect to ${sent} leads to ${kept}`, async (t) => {
    const app = await startUpstream(t, (_, response) =>
      response.writeHead(302, { Location: sent, 'Strict-Transport-Security': 'max-age=1' }).end(),
    );
    const { port } = await start(t, { routes: [`/=${app.port}`], as });
    const { headers } = await ask(port, '/');
    assert.equal(headers.location, kept.replace('PORT', String(port)));
    assert.equal(headers['strict-transport-security'], undefined);
  });
}
