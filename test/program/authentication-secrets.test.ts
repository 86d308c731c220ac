import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { run } from '../rig/run.ts';
import { freePort } from '../rig/servers.ts';
import { makeKey } from '../rig/ssh-keys.ts';
import type { SshClient } from '../rig/ssh-client.ts';

const SECRETS = {
  passphrase: 'rig-Passphrase-1',
  wrongPassphrase: 'rig-Wrong-passphrase-2',
  password: 'rig-Password-3',
  wrongPassword: 'rig-Wrong-password-4',
};

/** Wants the passphrase of a key, and after it the password of a real user. */
async function start(t: TestContext): Promise<{ rig: Rig; client: SshClient } | undefined> {
  if (!needs(t, 'sshd', 'root', 'pty')) return undefined;
  const rig = await startRig(t);
  const user = await rig.user();
  await run(['chpasswd'], { env: rig.env, input: `${user.name}:${SECRETS.password}\n` });
  const sshd = await rig.sshd({
    user,
    config: [
      'KbdInteractiveAuthentication yes',
      'UsePAM yes',
      'AuthenticationMethods publickey,keyboard-interactive',
    ],
  });
  const identity = await makeKey(join(rig.folder('keys'), 'locked'), 'ed25519', SECRETS.passphrase);
  sshd.authorize(identity.publicKey);
  return { rig, client: sshd.writeClient({ name: 'secret', identity }) };
}

/** What every other process on this machine can see of a process. */
function visible(pid: number): string {
  return ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'utf8')).join();
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => {
      try {
        return new RegExp(`^PPid:\\s+${pid}$`, 'm').test(readFileSync(`/proc/${child}/status`, 'utf8'));
      } catch {
        return false;
      }
    });
}

function assertNoSecret(text: string): void {
  for (const [name, secret] of Object.entries(SECRETS)) {
    assert.ok(!text.includes(secret), `the ${name} is shown`);
    assert.ok(!text.includes(Buffer.from(secret).toString('base64')), `the ${name} is shown in base64`);
    assert.ok(!text.includes(Buffer.from(secret).toString('hex')), `the ${name} is shown in hex`);
  }
}

for (const flags of [['-vvv'], ['-vvv', '--json'], ['-vvv', '--transport', 'openssh']]) {
  test(`no secret is shown with ${flags.join(' ')}, when they are right and when they are wrong`, async (t) => {
    const started = await start(t);
    if (started === undefined) return;
    const { rig, client } = started;
    const port = await freePort();
    const terminal = await rig.terminal([...client.flags, ...flags, 'secret', String(port)]);
    await terminal.waitFor(/passphrase for key/i);
    terminal.write(`${SECRETS.wrongPassphrase}\r`);
    await terminal.waitFor(/passphrase for key[\s\S]*passphrase for key/i);
    terminal.write(`${SECRETS.passphrase}\r`);
    await terminal.waitFor(/Password:/);
    terminal.write(`${SECRETS.password}\r`);
    await terminal.waitFor(new RegExp(`localhost:${port}`));
    for (const pid of [terminal.pid, ...childrenOf(terminal.pid)]) assertNoSecret(visible(pid));
    terminal.write('\x03');
    await terminal.exit;
    assertNoSecret(terminal.raw);

    const wrong = await rig.terminal([...client.flags, ...flags, 'secret', String(port)]);
    await wrong.waitFor(/passphrase for key/i);
    wrong.write(`${SECRETS.passphrase}\r`);
    for (let i = 1; i <= 3; i += 1) {
      await wrong.waitFor(new RegExp(`(?:Password:[\\s\\S]*){${i}}`));
      wrong.write(`${SECRETS.wrongPassword}\r`);
    }
    assert.equal((await wrong.exit).status, 255);
    assert.match(wrong.raw, /Permission denied/);
    assert.match(wrong.raw, /accepts: .*keyboard-interactive/);
    if (!flags.includes('openssh'))
      assert.match(wrong.raw, /accepted in part.*keyboard-interactive \(3 times\)/s);
    assertNoSecret(wrong.raw);
  });
}
