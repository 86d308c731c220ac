import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../rig/requirements.ts';
import { startRig } from '../rig/rig.ts';
import { echo, freePort } from '../rig/servers.ts';
import { binary } from '../rig/tunnel.ts';

test("a project's file is asked about once, and again when it has changed", async (t) => {
  if (!needs(t, 'sshd', 'pty')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const { port: target } = await rig.serve(echo);
  const project = rig.folder('project');
  const path = join(project, 'tunnel.json');
  const [one, two, configured] = [await freePort(), await freePort(), await freePort()];
  const options = { cwd: project };
  // What counts where the project's file does not.
  const args = [...sshd.client.flags, '-o', `LocalForward=${configured} localhost:${target}`, 'vps'];
  writeFileSync(path, JSON.stringify({ forwards: [`${one}:${target}`] }));

  const alone = await rig.tunnel(args, options);
  await alone.waitFor(new RegExp(`http://localhost:${configured}`));
  assert.equal((await alone.interrupt()).status, 130);
  assert.match(alone.stderr, /tunnel\.json is left out: you have not agreed to it/, 'nobody can be asked');
  assert.ok(!alone.stdout.includes(String(one)));

  const declined = await rig.terminal(args, options);
  await declined.waitFor(/tunnel\.json wants these opened:\n.*\n.*\(yes\/no\)\?/);
  assert.ok(declined.screen.includes(`${one}:${target}`));
  declined.write('no\r');
  await declined.waitFor(new RegExp(`http://localhost:${configured}`));
  assert.ok(!declined.screen.includes(`http://localhost:${one}`));
  declined.write('\x03');
  assert.equal((await declined.exit).status, 130);

  const interrupted = await rig.terminal(args, options);
  await interrupted.waitFor(/\(yes\/no\)\?/);
  interrupted.write('\x03');
  const { status, signal } = await interrupted.exit;
  assert.ok(status === 130 || signal === 'SIGINT');

  const agreed = await rig.terminal(args, options);
  await agreed.waitFor(/\(yes\/no\)\?/);
  agreed.write('yes\r');
  await agreed.waitFor(new RegExp(`http://localhost:${one}`));
  agreed.write('\x03');
  assert.equal((await agreed.exit).status, 130);

  const again = await rig.tunnel([...args, '--json'], options);
  await again.waitForEvent('forward', ({ url }) => url === `http://localhost:${one}`);
  assert.equal((await again.interrupt()).status, 130);

  writeFileSync(path, JSON.stringify({ forwards: [`${two}:${target}`] }));
  const changed = await rig.terminal(args, options);
  await changed.waitFor(/\(yes\/no\)\?/);
  assert.ok(changed.screen.includes(`${two}:${target}`));
  changed.write('\x04');
  await changed.waitFor(new RegExp(`http://localhost:${configured}`));
  assert.ok(!changed.screen.includes(`http://localhost:${two}`));
  changed.write('\x03');
  assert.equal((await changed.exit).status, 130);

  const typed = await rig.tunnel([...args, `${two}:${target}`, '--json'], options);
  await typed.waitForEvent('forward', ({ url }) => url === `http://localhost:${two}`);
  assert.equal((await typed.interrupt()).status, 130);
});

test("what a project's file must not ask for ends it before anything is run or opened", async (t) => {
  const rig = await startRig(t);
  const project = rig.folder('project');
  const proof = join(rig.dir, 'proof');
  const command = `touch ${proof}`;
  const attempts = [
    { options: { ssh: [`ProxyCommand=${command}`] } },
    { forwards: [`-oProxyCommand=${command}`] },
    { forwards: ['-R 9000:localhost:22'] },
    { host: 'evil.example', forwards: ['8081'] },
    { forwards: ['8081'], command },
  ];
  for (const attempt of attempts) {
    writeFileSync(join(project, 'tunnel.json'), JSON.stringify(attempt));
    const { status, stdout, stderr } = await rig.run([process.execPath, binary, 'nowhere.invalid'], {
      cwd: project,
    });
    assert.equal(status, 2, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, /^✖ \S+tunnel\.json: (?:options|forwards\[0\]|host|command)/);
    assert.ok(!existsSync(proof));
  }
});
