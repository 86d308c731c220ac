import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { BrowserContext } from 'playwright-core';
import { ConnectionLostError, DialError } from '../../src/errors.ts';
import { dialLocal } from '../../src/forward/local-dialer.ts';
import { loadCaddyfile } from '../../src/proxy/caddyfile/load-caddyfile.ts';
import { tempFolder } from '../forward/streams.ts';
import { startBrowser } from '../rig/browser.ts';
import { needs } from '../rig/requirements.ts';
import { startRig } from '../rig/rig.ts';
import { page as frontend, script, startLive, style } from './browser-page.ts';
import { start, startUpstream } from './start.ts';

/** The page from the folder, its numbers from Gunicorn, and what is live from another server. */
async function usePage(t: TestContext, browser: BrowserContext, url: string): Promise<void> {
  const tab = await browser.newPage();
  const failed: string[] = [];
  tab.on('response', (response) => {
    if (response.status() >= 400 && !response.url().endsWith('/favicon.ico')) failed.push(response.url());
  });
  tab.on('pageerror', (error) => failed.push(String(error)));
  await tab.goto(url);
  await tab.locator('#chart rect').nth(2).waitFor({ state: 'attached' });
  const heights = await tab
    .locator('#chart rect')
    .evaluateAll((bars) => bars.map((bar) => bar.getAttribute('height')));
  assert.deepEqual(heights, ['30', '80', '160']);
  await tab.locator('#socket', { hasText: 'hello over a WebSocket' }).waitFor();
  await tab.locator('#events', { hasText: 'one two three' }).waitFor();

  const file = join(tempFolder(t), 'upload.bin');
  const content = Buffer.alloc(3_000_000, 'uploaded');
  writeFileSync(file, content);
  await tab.locator('#file').setInputFiles(file);
  await tab.locator('#upload', { hasText: createHash('sha256').update(content).digest('hex') }).waitFor();

  const [download] = await Promise.all([tab.waitForEvent('download'), tab.locator('#download').click()]);
  assert.equal(readFileSync(await download.path()).length, 300_000);
  assert.deepEqual(failed, []);
  await tab.close();
}

test('a page, its app, a WebSocket, events, an upload and a download work in a browser', async (t) => {
  if (!needs(t, 'chromium', 'gunicorn', 'caddy')) return;
  const rig = await startRig(t);
  const live = await startLive(t);
  const app = await rig.gunicorn();
  const site = rig.folder('site');
  mkdirSync(join(site, 'webroot'));
  writeFileSync(join(site, 'webroot/index.html'), frontend);
  writeFileSync(join(site, 'webroot/style.css'), style);
  writeFileSync(join(site, 'webroot/app.js'), script);
  const caddyfile = join(site, 'Caddyfile');
  writeFileSync(
    caddyfile,
    `:8081 {
	root * webroot
	file_server
	handle_path /api/* {
		reverse_proxy unix/app.sock
	}
	handle_path /live/* {
		reverse_proxy localhost:${live.port}
	}
}
`,
  );
  const browser = await startBrowser(t);

  const routes = [`/api/*=unix:${app.socket}`, `/live/*=${live.port}`, `/=${site}/webroot`];
  const byRoutes = await start(t, { routes });
  await usePage(t, browser, `http://localhost:${byRoutes.port}/`);
  // Browsers resolve every name under localhost by themselves.
  const named = await start(t, { routes: routes.map((route) => `app.vps.localhost${route}`) });
  await usePage(t, browser, `http://app.vps.localhost:${named.port}/`);

  const rules = await loadCaddyfile(caddyfile, { remoteFolder: dirname(app.socket ?? '') });
  const byCaddyfile = await start(t, { rules });
  await usePage(t, browser, `http://127.0.0.1:${byCaddyfile.port}/`);
});

test('a page of another site can neither post here, nor open a WebSocket', async (t) => {
  if (!needs(t, 'chromium')) return;
  const app = await startUpstream(t, (_, response) => response.end('reached'));
  const { port, records } = await start(t, { routes: [`/=${app.port}`] });
  const other = await startUpstream(t, (_, response) =>
    response.setHeader('Content-Type', 'text/html').end('<p>Other'),
  );
  const browser = await startBrowser(t);
  const tab = await browser.newPage();
  for (const host of ['localhost', 'evil.localhost']) {
    await tab.goto(`http://${host}:${other.port}/`);
    const url = `localhost:${port}`;
    await tab.evaluate((to) => fetch(`http://${to}/`, { method: 'POST', mode: 'no-cors', body: 'x' }), url);
    const opened = await tab.evaluate(
      (to) =>
        new Promise((resolve) => {
          const socket = new WebSocket(`ws://${to}/`);
          socket.addEventListener('open', () => resolve(true));
          socket.addEventListener('error', () => resolve(false));
        }),
      url,
    );
    assert.equal(opened, false);
  }
  assert.equal(app.total, 0);
  assert.deepEqual(
    records.map(({ status }) => status),
    [403, 403, 403, 403],
  );
});

test('a page that waits comes back by itself when the session does', async (t) => {
  if (!needs(t, 'chromium')) return;
  const app = await startUpstream(t, (_, response) =>
    response.setHeader('Content-Type', 'text/html').end('<h1>Back</h1>'),
  );
  let down = true;
  const { port } = await start(t, {
    routes: [`/=${app.port}`],
    dial: async (endpoint, signal) => {
      if (down) throw new ConnectionLostError('held-too-long', 'vps could not be reached for 10 s');
      return dialLocal(endpoint, signal);
    },
  });
  const tab = await (await startBrowser(t)).newPage();
  await tab.goto(`http://localhost:${port}/`);
  await tab.getByText('vps could not be reached for 10 s').waitFor();
  await screenshot(tab, '503');
  down = false;
  await tab.getByRole('heading', { name: 'Back' }).waitFor();
});

test('an error page says what is wrong, and runs nothing of what it quotes', async (t) => {
  if (!needs(t, 'chromium')) return;
  const { port } = await start(t, {
    routes: ['/api/*=~/api/app.sock', `/=${tempFolder(t)}`],
    dial: async () => {
      throw new DialError('socket-permission', 'Cannot open ~/api/app.sock on vps: permission denied', {
        hint: [
          'The socket is srwxrwx--- www-data:www-data; you are deploy, who is not in www-data.',
          'Start Gunicorn with -m 007 as deploy, or: sudo usermod -aG www-data deploy',
        ],
      });
    },
  });
  const tab = await (await startBrowser(t)).newPage();
  const alerts: string[] = [];
  tab.on('dialog', (dialog) => {
    alerts.push(dialog.message());
    void dialog.dismiss();
  });
  await tab.goto(`http://localhost:${port}/api/x`);
  await tab.getByRole('heading', { name: 'permission denied' }).waitFor();
  await tab.getByText('sudo usermod -aG www-data deploy').waitFor();
  await screenshot(tab, '502');
  await tab.goto(`http://localhost:${port}/%3Cimg%20src=x%20onerror=alert(1)%3E<script>alert(2)</script>`);
  await tab.getByText('404 Not Found').first().waitFor();
  await screenshot(tab, '404');
  await tab.goto(`http://stranger.localhost:${port}/`);
  await tab.getByText('421 Misdirected Request').first().waitFor();
  await screenshot(tab, '421');
  assert.deepEqual(alerts, []);
});

/** For somebody who wants to look at them: TUNNEL_SCREENSHOTS names a folder. */
async function screenshot(tab: Awaited<ReturnType<BrowserContext['newPage']>>, name: string): Promise<void> {
  const folder = process.env['TUNNEL_SCREENSHOTS'];
  if (folder !== undefined) await tab.screenshot({ path: join(folder, `${name}.png`) });
}
