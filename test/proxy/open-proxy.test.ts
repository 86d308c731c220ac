import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { ListenError } from '../../src/errors.ts';
import { compileRoutes } from '../../src/proxy/compile-routes.ts';
import { parseRoute } from '../../src/proxy/route.ts';
import { closed, readAll, tempFolder, until } from '../forward/streams.ts';
import { ask, start, startUpstream } from './start.ts';

test('clients and bytes are counted', async (t) => {
  const app = await startUpstream(t, (request, response) => request.pipe(response));
  const { port, proxy } = await start(t, { routes: [`/=${app.port}`] });
  await ask(port, '/', { method: 'POST', body: 'seven b' });
  await ask(port, '/', { method: 'POST', body: 'and seven' });
  await until(() => proxy.open === 0);
  assert.deepEqual([proxy.total, proxy.bytesUp, proxy.bytesDown], [2, 16, 16]);
});

test('bytes are counted while they are on their way', async (t) => {
  const app = await startUpstream(t, (_, response) => response.write('begun'));
  const { port, proxy } = await start(t, { routes: [`/=${app.port}`] });
  const request = httpRequest({ host: '127.0.0.1', port, headers: { Host: 'localhost' } }).end();
  request.on('error', () => {});
  await once(request, 'response');
  await until(() => proxy.bytesDown === 5);
  assert.equal(proxy.open, 1);
  request.destroy();
});

test('a proxy that is closed lets an answer finish, and takes nothing new', async (t) => {
  const app = await startUpstream(t, (_, response) => {
    response.write('begun ');
    app.server.once('go', () => response.end('and finished'));
  });
  const { port, proxy } = await start(t, { routes: [`/=${app.port}`] });
  const idle = connect(port, '127.0.0.1');
  await once(idle, 'connect');
  const request = httpRequest({ host: '127.0.0.1', port, headers: { Host: 'localhost' } }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const over = proxy.close({ graceMs: 60_000 });
  await assert.rejects(ask(port, '/'));
  app.server.emit('go');
  assert.equal(String(await readAll(response)), 'begun and finished');
  await over;
  await closed(idle);
  await until(() => app.sockets.size === 0);
});

test('what is left when the time is up is cut off', async (t) => {
  const app = await startUpstream(t, (_, response) => response.write('begun'));
  const { port, proxy } = await start(t, { routes: [`/=${app.port}`] });
  const request = httpRequest({ host: '127.0.0.1', port, headers: { Host: 'localhost' } }).end();
  request.on('error', () => {});
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const broken = once(response, 'error');
  await Promise.all([proxy.close({ graceMs: 10 }), broken]);
  await until(() => app.sockets.size === 0);
});

test('it listens on a socket as well, which is gone with it', async (t) => {
  const app = await startUpstream(t, (_, response) => response.end('x'));
  const path = join(tempFolder(t), 'proxy.sock');
  const { proxy } = await start(t, { listen: { kind: 'unix', path }, routes: [`/=${app.port}`] });
  const request = httpRequest({ socketPath: path, headers: { Host: 'localhost' }, agent: false }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  assert.equal(String(await readAll(response)), 'x');
  await proxy.close();
  assert.ok(!existsSync(path));
});

test('a port that is in use is told with another one to take', async (t) => {
  const { port } = await start(t, {});
  await assert.rejects(
    start(t, { listen: { kind: 'tcp', port } }),
    (error) =>
      error instanceof ListenError &&
      error.code === 'port-in-use' &&
      error.hint.includes(`Use another local port: --http ${port + 1}`),
  );
});

test('its rules can be replaced while it is open', async (t) => {
  const { port, proxy } = await start(t, {});
  assert.equal((await ask(port, '/')).status, 404);
  const app = await startUpstream(t, (_, response) => response.end('x'));
  proxy.setRules(compileRoutes([parseRoute(`new.localhost/=${app.port}`)]));
  assert.equal((await ask(port, '/', { headers: { Host: 'new.localhost' } })).body, 'x');
});

test('queries and cookies are logged only where they are asked for', async (t) => {
  const app = await startUpstream(t, (_, response) => response.end('x'));
  const routes = [`/=${app.port}`];
  const [quiet, frank] = [
    await start(t, { routes }),
    await start(t, { routes, log: { query: true, cookies: true } }),
  ];
  for (const { port } of [quiet, frank]) await ask(port, '/a?token=1', { headers: { Cookie: 'session=2' } });
  await until(() => quiet.records.length + frank.records.length === 2);
  assert.ok(!/token|session/.test(JSON.stringify(quiet.records)));
  assert.deepEqual([frank.records[0]?.query, frank.records[0]?.cookies], ['token=1', 'session=2']);
});
