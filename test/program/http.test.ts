import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { startBrowser } from '../rig/browser.ts';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { freePort } from '../rig/servers.ts';
import type { Sshd } from '../rig/sshd.ts';
import { binary } from '../rig/tunnel.ts';
import { until } from '../rig/until.ts';

interface Started {
  readonly rig: Rig;
  readonly sshd: Sshd;
  /** A frontend on this machine. */
  readonly webroot: string;
}

/** Gunicorn on `~/app/app.sock` there, and a folder here. */
async function start(t: TestContext): Promise<Started | undefined> {
  if (!needs(t, 'sshd', 'gunicorn')) return undefined;
  const rig = await startRig(t);
  const sshd = await rig.sshd({ relay: true });
  await rig.gunicorn({ dir: join(sshd.home, 'app') });
  const webroot = join(rig.env['HOME'] ?? rig.dir, 'webroot');
  mkdirSync(webroot);
  writeFileSync(join(webroot, 'index.html'), '<!doctype html><title>Here</title>\n');
  return { rig, sshd, webroot };
}

async function get(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string }> {
  const response = await fetch(url, { headers });
  return { status: response.status, body: await response.text() };
}

test('a folder here and sockets and ports there are behind one port, over one connection', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const chat = createServer();
  const sockets = new WebSocketServer({ server: chat });
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  await new Promise<void>((resolve) => chat.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const client of sockets.clients) client.terminate();
    chat.close();
  });
  const address = chat.address();
  const chatPort = typeof address === 'object' ? address?.port : 0;
  const port = await freePort();
  const routes = ['/api/*=~/app/app.sock', `/chat/*=127.0.0.1:${chatPort}`, '/=./webroot'];
  const flags = routes.flatMap((route) => ['-r', route]);
  const tunnel = await rig.tunnel([...sshd.client.flags, '--json', 'vps', '--http', String(port), ...flags]);
  const { url, kind } = await tunnel.waitForEvent('forward');
  const base = `http://localhost:${port}`;
  assert.equal(url, base);
  assert.equal(kind, 'http');

  assert.match((await get(`${base}/`)).body, /<title>Here<\/title>/);
  assert.match((await get(`${base}/api/hello`)).body, /"hello":"flask"/);
  assert.equal((await get(`${base}/api/frame`)).status, 200);
  const socket = new WebSocket(`ws://localhost:${port}/chat/`);
  const echoed = await new Promise<string>((resolve, reject) => {
    socket.on('open', () => socket.send('over ssh')).on('error', reject);
    socket.on('message', (data: Buffer) => resolve(data.toString()));
  });
  socket.terminate();
  assert.equal(echoed, 'over ssh');
  assert.equal(sshd.relay?.total, 1);
  const { request } = await tunnel.waitForEvent('request');
  assert.equal((request as { status: number }).status, 200);
});

test('names that are not known get 421, and a page elsewhere may not change things', async (t) => {
  const started = await start(t);
  if (started === undefined || !needs(t, 'curl')) return;
  const { rig, sshd } = started;
  const port = await freePort();
  const args = ['vps', '--http', String(port), '-r', '/=~/app/app.sock'];
  const tunnel = await rig.tunnel([...sshd.client.flags, ...args]);
  await tunnel.waitFor(/http:\/\/localhost/);
  const status = async (...flags: string[]): Promise<string> =>
    (
      await rig.run([
        'curl',
        '-s',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        ...flags,
        `http://localhost:${port}/echo`,
      ])
    ).stdout;
  assert.equal(await status('-d', 'x'), '200');
  assert.equal(await status('-d', 'x', '-H', 'Host: evil.example'), '421');
  assert.equal(await status('-d', 'x', '-H', 'Origin: http://evil.example'), '403');
});

test('while the session is down a request waits, and after that gets 503 with Retry-After', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const port = await freePort();
  const life = ['--hold', '500ms', '--reconnect', '200ms..200ms'];
  const args = [...life, '--json', 'vps', '--http', String(port), '-r', '/=~/app/app.sock'];
  const tunnel = await rig.tunnel([...sshd.client.flags, ...args]);
  await tunnel.waitForEvent('forward');
  await sshd.relay?.refuse(true);
  sshd.relay?.drop();
  await tunnel.waitForEvent('waiting');
  const response = await fetch(`http://localhost:${port}/hello`, { headers: { Accept: 'application/json' } });
  assert.equal(response.status, 503);
  assert.ok(Number(response.headers.get('retry-after')) > 0);
  assert.match(await response.text(), /"route"/);
  await sshd.relay?.refuse(false);
  await until('it answers again', async () => (await get(`http://localhost:${port}/hello`)).status === 200);
});

test('a socket that is missing is explained in the answer, 502', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const port = await freePort();
  const args = ['--retry-dial', '0s', 'vps', '--http', String(port), '-r', '/=~/app/missing.sock'];
  const tunnel = await rig.tunnel([...sshd.client.flags, ...args]);
  await tunnel.waitFor(/http:\/\/localhost/);
  const { status, body } = await get(`http://localhost:${port}/`, { Accept: 'text/html' });
  assert.equal(status, 502);
  assert.match(body, /missing\.sock/);
  assert.match(body, /There is no|does not exist|no such/i);
});

test('a proxy can be added to a session, is in ls and the log, and is cancelled', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const cwd = rig.env['HOME'] ?? rig.dir;
  const tunnel = (...args: string[]) => rig.run([process.execPath, binary, ...args], { cwd });
  assert.equal((await tunnel(...sshd.client.flags, 'vps', 'auto:1', '-d')).status, 0);
  const port = await freePort();
  const added = await tunnel(
    'add',
    'vps',
    '--http',
    String(port),
    '-r',
    '/api/*=~/app/app.sock',
    '-r',
    '/=./webroot',
  );
  assert.equal(added.status, 0, added.stderr);
  assert.match((await get(`http://localhost:${port}/`)).body, /Here/);
  assert.match((await get(`http://localhost:${port}/api/hello?token=secret`)).body, /flask/);
  assert.match(
    (await tunnel('ls')).stdout,
    new RegExp(`http://localhost:${port} → /api/\\*=~/app/app.sock /=/`),
  );
  const log = (await tunnel('logs', 'vps')).stdout;
  assert.match(log, /GET \/api\/hello 200 \d+ms \(open \d+ · app \d+\) \d+ B → ~\/app\/app\.sock/);
  assert.ok(!log.includes('secret'));
  assert.equal((await tunnel('cancel', 'vps', '--http', String(port), '-r', '/=1')).status, 0);
  await assert.rejects(fetch(`http://localhost:${port}/`));
});

test('another proxy on the same port is refused with what is there, and is cancelled by its port alone', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const cwd = rig.env['HOME'] ?? rig.dir;
  const tunnel = (...args: string[]) => rig.run([process.execPath, binary, ...args], { cwd });
  const port = await freePort();
  const http = ['--http', String(port)];
  const open = (...args: string[]) => tunnel(...sshd.client.flags, 'vps', ...http, '-d', ...args);
  assert.equal((await open('-r', '/=./webroot')).status, 0);
  const again = await open('-r', '/=./webroot');
  assert.equal(again.status, 0);
  assert.match(again.stderr, /open already/);
  for (const args of [
    ['-r', '/=./app'],
    ['-r', '/=./webroot', '--as', 'app.example.org'],
    ['-r', '/=./webroot', '-r', '/api/*=5000'],
  ]) {
    const other = await open(...args);
    assert.equal(other.status, 1, other.stderr);
    assert.match(other.stderr, new RegExp(`listens there for --http ${port} -r /=/\\S*/webroot\n`));
    assert.match(other.stderr, new RegExp(`tunnel cancel vps --http ${port}$`, 'm'));
  }
  assert.equal((await tunnel('add', 'vps', ...http, '-r', '/=./app')).status, 1);
  assert.match((await get(`http://localhost:${port}/`)).body, /Here/);
  const cancelled = await tunnel('cancel', 'vps', ...http);
  assert.equal(cancelled.status, 0, cancelled.stderr);
  await assert.rejects(fetch(`http://localhost:${port}/`));
  assert.equal((await tunnel('cancel', 'vps', ...http)).status, 1);
});

test('the Caddyfile of the project works unchanged, in a browser, with its sockets there and its files here', async (t) => {
  const started = await start(t);
  if (started === undefined || !needs(t, 'chromium')) return;
  const { rig, sshd, webroot } = started;
  const project = join(webroot, '..');
  writeFileSync(
    join(project, 'Caddyfile'),
    ':8081 {\n\troot * webroot\n\tfile_server\n\thandle_path /api/* {\n\t\treverse_proxy unix/app.sock\n\t}\n}\n',
  );
  writeFileSync(
    join(webroot, 'index.html'),
    `<!doctype html><title>Visits</title><pre id="visits"></pre>
<script>fetch('/api/frame').then((r) => r.json()).then((rows) => {
  document.querySelector('#visits').textContent = rows.map((row) => row.total).join(' ');
});</script>\n`,
  );
  const port = await freePort();
  const args = ['vps', '--http', String(port), '--caddyfile', '--remote-dir', '~/app'];
  const tunnel = await rig.tunnel([...sshd.client.flags, ...args], { cwd: project });
  await tunnel.waitFor(/http:\/\/localhost/);

  const browser = await startBrowser(t);
  const tab = await browser.newPage();
  await tab.goto(`http://localhost:${port}/`);
  await tab.locator('#visits', { hasText: '3 8 16' }).waitFor();
  assert.ok(readFileSync(join(project, 'Caddyfile'), 'utf8').includes(':8081'));
});

const refused: [args: string[], named: RegExp][] = [
  [['vps', '--http', '8080'], /--http "8080" needs to know where requests go/],
  [['vps', '8081', '--spa'], /--spa is for a reverse proxy/],
  [['vps', '-r', '/api=x:y:z'], /x:y:z/],
  [['vps', '-r', 'api=5000'], /api/],
  [['vps', '-r', '/=5000', '--allow-origin', 'evil'], /--allow-origin "evil"/],
  [['vps', '-r', '/=5000', '--as', 'x y\r\nA: b'], /--as "x y\\x0d\\x0aA: b" is not a host name/],
  [['vps', '-r', '/=5000', '--allow-host', 'a/b'], /--allow-host "a\/b" is not a host name/],
  [['vps', '-r', '/=5000', '--remote-dir', 'x'], /--remote-dir "x" needs --caddyfile/],
  [['vps', '--http', 'a:b:c', '-r', '/=1'], /a:b:c/],
  [['-F', 'none', '127.0.0.1', '-r', '/=./nowhere/'], /there is no folder/],
  [['-F', 'none', '127.0.0.1', '--caddyfile', '/nope'], /Cannot read \/nope: there is no such file\n$/],
  [['-F', 'none', '127.0.0.1', '--caddyfile'], /Cannot read \.\/Caddyfile.*\n.*--caddyfile=FILE/],
  [['-F', 'none', '127.0.0.1', '--caddyfile=nowhere'], /Cannot read .*nowhere/],
  [['vps', '8080', '--http', '8080', '-r', '/=1'], /8080/],
];
for (const [args, named] of refused) {
  test(`tunnel ${args.join(' ')} ends with 2 and says why`, async (t) => {
    const rig = await startRig(t);
    const result = await rig.run([process.execPath, binary, ...args], { cwd: rig.dir });
    assert.equal(result.status, 2, result.stderr);
    assert.match(result.stderr, named);
  });
}
