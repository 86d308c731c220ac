import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { freePort } from '../rig/servers.ts';
import type { SshClient } from '../rig/ssh-client.ts';
import { askRounds, clientOf, startSsh2Server, type Round } from '../ssh/ssh2/ssh2-server.ts';

const [PASSWORD, CODE, WRONG] = ['rig-Password-5', 'rig-Code-6', 'rig-Wrong-code-7'];
const INSTRUCTIONS = 'Open your authenticator';

/** What a password and, in a round of its own, a time-based code look like. */
const ROUNDS: readonly Round[] = [
  { prompts: [{ prompt: 'Password: ', echo: false, answer: PASSWORD }] },
  { instructions: INSTRUCTIONS, prompts: [{ prompt: 'Code: ', echo: false, answer: CODE }] },
];

async function start(t: TestContext): Promise<{ rig: Rig; client: SshClient } | undefined> {
  if (!needs(t, 'pty', 'ssh')) return undefined;
  const rig = await startRig(t);
  const server = await rig.own(
    startSsh2Server((connection) => {
      connection.on('authentication', (context) => askRounds(context, ROUNDS));
    }),
  );
  return { rig, client: await clientOf(rig, server, ['NumberOfPasswordPrompts 1']) };
}

for (const transport of ['ssh2', 'openssh']) {
  test(`${transport}: a password and then a code let in, and neither is shown with -vvv`, async (t) => {
    const started = await start(t);
    if (started === undefined) return;
    const { rig, client } = started;
    const port = await freePort();
    const args = [...client.flags, '-vvv', '--transport', transport, 'vps', String(port)];
    const terminal = await rig.terminal(args);
    await terminal.waitFor(/Password: ?$/);
    terminal.write(`${PASSWORD}\r`);
    await terminal.waitFor(/Code: ?$/);
    assert.ok(terminal.raw.includes(INSTRUCTIONS));
    terminal.write(`${CODE}\r`);
    await terminal.waitFor(new RegExp(`localhost:${port}`));
    terminal.write('\x03');
    await terminal.exit;
    for (const secret of [PASSWORD, CODE]) assert.ok(!terminal.raw.includes(secret));
  });

  test(`${transport}: a wrong code ends with 255, and neither it nor the instructions are in the cause`, async (t) => {
    const started = await start(t);
    if (started === undefined) return;
    const { rig, client } = started;
    const args = [...client.flags, '-vvv', '--transport', transport, 'vps', String(await freePort())];
    const terminal = await rig.terminal(args);
    await terminal.waitFor(/Password: ?$/);
    terminal.write(`${PASSWORD}\r`);
    await terminal.waitFor(/Code: ?$/);
    terminal.write(`${WRONG}\r`);
    assert.equal((await terminal.exit).status, 255);
    assert.match(terminal.raw, /Permission denied[\s\S]*The server accepts: keyboard-interactive/);
    for (const secret of [PASSWORD, WRONG]) assert.ok(!terminal.raw.includes(secret));
    const [, cause = ''] = /caused by: ([\s\S]*)$/.exec(terminal.raw) ?? [];
    assert.ok(!cause.includes(INSTRUCTIONS), cause);
  });
}
