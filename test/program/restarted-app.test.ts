import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { serverEnv } from '../rig/env.ts';
import { answers } from '../rig/http-ready.ts';
import type { ServerProcess } from '../rig/processes.ts';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { freePort } from '../rig/servers.ts';

const RESTARTS = 20;
const REQUESTS_A_SECOND = 50;

const app = fileURLToPath(new URL('../rig/apps/journal.py', import.meta.url));

async function startApp(rig: Rig, dir: string): Promise<ServerProcess> {
  const socket = join(dir, 'app.sock');
  return await rig.start(['gunicorn', '--bind', 'unix:app.sock', '-m', '007', 'journal:app'], {
    cwd: dir,
    env: { ...serverEnv(dir), JOURNAL: join(dir, 'journal') },
    ready: () => existsSync(socket) && answers({ url: 'http://localhost/', unixSocket: socket, prefix: [] }),
  });
}

async function request(port: number, number: number): Promise<string> {
  return await new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: `/?${number}`, agent: false }, (response) => {
      text(response).then(resolve, reject);
    }).once('error', reject);
  });
}

test('a Gunicorn that is restarted again and again under load is a pause: none is executed twice, and at most one a restart is lost', async (t) => {
  if (!needs(t, 'sshd', 'gunicorn')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const dir = join(sshd.home, 'app');
  await rig.run(['mkdir', '-p', dir]);
  copyFileSync(app, join(dir, 'journal.py'));
  let server = await startApp(rig, dir);
  const port = await freePort();
  // A busy machine may take longer than the usual 2 s to start it.
  const flags = [...sshd.client.flags, '--retry-dial', '30s'];
  const tunnel = await rig.tunnel([...flags, 'vps', `${port}:~/app/app.sock`]);
  await tunnel.waitFor(/http:\/\/localhost/);

  const lost: number[] = [];
  const asked: Promise<void>[] = [];
  const over = new AbortController();
  const load = (async () => {
    for (let number = 1; !over.signal.aborted; number++) {
      asked.push(
        request(port, number).then(
          (answer) => assert.equal(answer, String(number)),
          () => void lost.push(number),
        ),
      );
      await sleep(1000 / REQUESTS_A_SECOND);
    }
  })();
  for (let restart = 0; restart < RESTARTS; restart++) {
    await sleep(200);
    await server.stop();
    server = await startApp(rig, dir);
  }
  over.abort();
  await load;
  await Promise.all(asked);

  const journal = readFileSync(join(dir, 'journal'), 'utf8').trimEnd().split('\n');
  const begun = journal.filter((line) => line.startsWith('began'));
  assert.equal(new Set(begun).size, begun.length, 'no request was executed twice');
  assert.ok(asked.length > 100, `${asked.length} requests`);
  // What its worker had taken up, or what was in the backlog of its socket: neither can be sent again.
  assert.ok(
    lost.length <= RESTARTS,
    `${lost.length} of ${asked.length} requests were lost: ${lost.join(' ')}`,
  );
  const answered = new Set(journal.filter((line) => line.startsWith('answered')));
  for (const number of lost) {
    const wasBegun = begun.includes(`began ${number}`) && !answered.has(`answered ${number}`);
    t.diagnostic(
      `request ${number} was lost: ${wasBegun ? 'its worker died' : 'in the backlog of the socket'}`,
    );
  }
});
