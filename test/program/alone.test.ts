import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { needs } from '../rig/requirements.ts';
import { startRig } from '../rig/rig.ts';
import { closesFirst, freePort } from '../rig/servers.ts';
import { until } from '../rig/until.ts';

/** A machine of its own: what is found there is asked, and must not be another test's. */
async function start(t: TestContext) {
  if (!needs(t, 'sshd', 'netns', 'nc')) return undefined;
  const rig = await startRig(t);
  const on = await rig.machine();
  const user = await rig.user();
  const sshd = await rig.sshd({ on, user });
  return { rig, on, user, sshd };
}

test('tunnel HOST alone opens what its Caddy serves', async (t) => {
  const started = await start(t);
  if (started === undefined || !needs(t, 'caddy', 'curl')) return;
  const { rig, on, sshd } = started;
  const port = await freePort();
  await rig.caddy({ on, port, proxies: {}, adminAddress: 'localhost:2019' });
  const tunnel = await rig.tunnel([...sshd.client.flags, 'vps']);
  await tunnel.waitFor(new RegExp(`http://localhost:${port} → localhost:${port}`));
  assert.equal(tunnel.stdout, `http://localhost:${port} → localhost:${port}\n`);
  const page = await rig.run(['curl', '-sf', `http://localhost:${port}/`]);
  assert.match(page.stdout, /<title>Visits/);
  assert.equal((await tunnel.interrupt()).status, 130);
});

test('tunnel HOST alone says what could be typed where nobody can choose, with status 2', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, on, sshd } = started;
  const empty = await rig.tunnel([...sshd.client.flags, 'vps']);
  assert.equal((await empty.exit).status, 2);
  assert.match(empty.stderr, /✖ Nothing to open on vps/);
  assert.match(empty.stderr, /tunnel scan --all vps/);

  const port = await freePort();
  await rig.start([...on.prefix, 'nc', '-lk', '127.0.0.1', String(port)]);
  await until('it listens', async () => {
    const { stdout } = await rig.run([...on.prefix, 'ss', '-tln']);
    return stdout.includes(`:${port} `);
  });
  const some = await rig.tunnel([...sshd.client.flags, '--json', 'vps']);
  assert.equal((await some.exit).status, 2);
  assert.equal(some.stdout, '', 'a usage error has no events');
  assert.match(some.stderr, new RegExp(`could be opened: tunnel vps .*\\b${port}\\b`));
  const detached = await rig.tunnel([...sshd.client.flags, 'vps', '-d']);
  assert.equal((await detached.exit).status, 2);
});

test('tunnel HOST alone has the person choose on a terminal, and opens that', async (t) => {
  const started = await start(t);
  if (started === undefined || !needs(t, 'gunicorn', 'pty')) return;
  const { rig, on, user, sshd } = started;
  await rig.gunicorn({ on, dir: join(user.home, 'app'), user });
  const port = await freePort();
  await rig.gunicorn({ on, bind: `127.0.0.1:${port}`, user });
  const terminal = await rig.terminal([...sshd.client.flags, 'vps']);
  await terminal.waitFor(/What is to be opened on vps\?/);
  await terminal.waitFor(new RegExp(`❯ ◯ ✔ ${port} `));
  terminal.write(' ');
  await terminal.waitFor(/❯ ◉/);
  terminal.write('\u001b[B');
  await terminal.waitFor(/❯ ◯ ✔ ~\/app\/app\.sock/);
  terminal.write(' \r');
  await terminal.waitFor(new RegExp(`The next time: tunnel vps ${port} '~/app/app\\.sock'`));
  await terminal.waitFor(new RegExp(`http://localhost:${port} → localhost:${port}`));
  await terminal.waitFor(/http:\/\/localhost:\d+ → ~\/app\/app\.sock/);
  assert.doesNotMatch(terminal.screen, /◯|◉/, 'the list has gone');
  terminal.write('\u0003');
  assert.equal((await terminal.exit).status, 130);

  const declined = await rig.terminal([...sshd.client.flags, 'vps']);
  await declined.waitFor(/What is to be opened/);
  declined.write('q');
  assert.equal((await declined.exit).status, 2);
  assert.match(declined.screen, /Nothing was chosen/);

  const narrow = await rig.terminal([...sshd.client.flags, 'vps'], { columns: 40 });
  await narrow.waitFor(/Enter\)|…/);
  narrow.write('\u001b[B\u001b[A\u001b[B');
  await narrow.waitFor(/❯ ◯ ✔ ~\/app\/app\.sock/);
  assert.equal(narrow.screen.match(/What is to be opened/g)?.length, 1, 'no row of it was wrapped');
  narrow.write('q');
  await narrow.exit;
});

test('--open shows the first URL in the browser once it answers, in the foreground and behind -d', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const { port } = await rig.serve(closesFirst('HTTP/1.0 200 OK\r\n\r\nhello'));
  const seen = join(rig.dir, 'seen');
  const browser = join(rig.dir, 'browser');
  writeFileSync(browser, `#!/bin/sh\necho "$@" >> ${seen}\n`, { mode: 0o755 });
  const env = { ...rig.env, BROWSER: `${browser} --new %s` };
  const url = async (spec: string, ...flags: string[]): Promise<void> => {
    writeFileSync(seen, '');
    const tunnel = await rig.tunnel([...sshd.client.flags, 'vps', spec, '--open', ...flags], { env });
    const local = spec.split(':')[0] ?? '';
    await until('the browser was started', () => readFileSync(seen, 'utf8') !== '');
    assert.equal(readFileSync(seen, 'utf8'), `--new http://localhost:${local}\n`);
    if (flags.length === 0) await tunnel.interrupt();
    else assert.equal((await tunnel.exit).status, 0);
  };
  const free = [await freePort(), await freePort()];
  const first = `${free[0]}:${port}`;
  await url(first);
  await url(`${free[1]}:${port}`, '-d');
  await rig.tunnel(['stop', 'vps'], { env }).then(async (stop) => await stop.exit);

  const broken = await rig.tunnel([...sshd.client.flags, 'vps', first, '--open'], {
    env: { ...rig.env, BROWSER: '/does/not/exist' },
  });
  await broken.waitFor(/The browser cannot be opened with \/does\/not\/exist/);
  assert.equal((await broken.interrupt()).status, 130, 'the session went on');
});
