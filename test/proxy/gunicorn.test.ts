import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { test, type TestContext } from 'node:test';
import { until } from '../forward/streams.ts';
import { needs } from '../rig/requirements.ts';
import { startRig } from '../rig/rig.ts';
import { ask, start, type Started, startUpstream } from './start.ts';

/** Gunicorn with one sync worker on a socket, and a proxy before it. */
async function startApp(t: TestContext): Promise<Started & { readonly stop: () => Promise<void> }> {
  const rig = await startRig(t);
  const app = await rig.gunicorn({ threads: 1 });
  return { ...(await start(t, { routes: [`/api/*=unix:${app.socket}`] })), stop: () => app.stop() };
}

test('one sync worker serves two browsers that keep their connections', async (t) => {
  if (!needs(t, 'gunicorn')) return;
  const { port, records } = await startApp(t);
  const browse = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 6 });
    t.after(() => agent.destroy());
    const load = async (path: string): Promise<void> => {
      const request = httpRequest({
        agent,
        host: '127.0.0.1',
        port,
        path,
        headers: { Host: 'localhost' },
      }).end();
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      await response.toArray();
      assert.equal(response.statusCode, 200);
    };
    for (let page = 0; page < 5; page++) {
      await Promise.all(['/api/', '/api/hello', '/api/frame', '/api/bytes/100000', '/api/hello'].map(load));
    }
  };
  await Promise.all([browse(), browse()]);
  await until(() => records.length === 50);
  // Each had a connection of its own, which Gunicorn closed: none was left to hold the worker.
  assert.ok(records.every(({ openMs }) => openMs !== undefined));
});

test('uploads and downloads of an app are the bytes that were sent', async (t) => {
  if (!needs(t, 'gunicorn')) return;
  const { port } = await startApp(t);
  const body = Buffer.alloc(20_000_000, 'upload');
  const sum = createHash('sha256').update(body).digest('hex');
  for (const headers of [{}, { 'Transfer-Encoding': 'chunked' }, { Expect: '100-continue' }]) {
    const answer = await ask(port, '/api/sha256', { method: 'POST', body, headers });
    assert.deepEqual(JSON.parse(answer.body), { length: body.length, sha256: sum });
  }
  const request = httpRequest({
    host: '127.0.0.1',
    port,
    path: '/api/bytes/20000000',
    headers: { Host: 'localhost' },
  });
  const [response] = (await once(request.end(), 'response')) as [IncomingMessage];
  const hash = createHash('sha256');
  for await (const chunk of response) hash.update(chunk as Buffer);
  assert.equal(hash.digest('hex'), response.headers['x-sha256']);
});

test('an app that is killed during its answer breaks that answer and nothing else', async (t) => {
  if (!needs(t, 'gunicorn')) return;
  const rig = await startRig(t);
  const app = await rig.gunicorn({ threads: 1 });
  const other = await startUpstream(t, (_, response) => response.end('other'));
  const { port, records } = await start(t, { routes: [`/api/*=unix:${app.socket}`, `/=${other.port}`] });
  const request = httpRequest({
    host: '127.0.0.1',
    port,
    path: '/api/bytes/900000000',
    headers: { Host: 'localhost' },
  });
  const [response] = (await once(request.end(), 'response')) as [IncomingMessage];
  // The reset may be told by both.
  request.on('error', () => undefined);
  await once(response, 'data');
  const broken = once(response, 'error');
  response.pause();
  await app.stop();
  response.resume();
  assert.equal(((await broken) as [NodeJS.ErrnoException])[0].code, 'ECONNRESET');
  assert.equal((await ask(port, '/')).body, 'other');
  const gone = await ask(port, '/api/hello');
  assert.equal(gone.status, 502);
  await until(() => records.length === 3);
  assert.equal(records.find(({ path }) => path.includes('bytes'))?.error, 'answer-broken');
});
