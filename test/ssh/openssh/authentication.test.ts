import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { needs } from '../../rig/requirements.ts';
import type { Rig } from '../../rig/rig.ts';
import type { Sshd } from '../../rig/sshd.ts';
import { connectIn, startOpensshRig } from './openssh.ts';

const PASSWORD = 'rig-Password-9';

async function start(
  t: TestContext,
  config: readonly string[],
): Promise<{ rig: Rig; sshd: Sshd } | undefined> {
  if (!needs(t, 'sshd', 'root')) return undefined;
  const rig = await startOpensshRig(t);
  const user = await rig.user();
  await rig.run(['chpasswd'], { input: `${user.name}:${PASSWORD}\n` });
  return { rig, sshd: await rig.sshd({ user, config: ['PasswordAuthentication yes', ...config] }) };
}

/** How sshd was convinced, in order. */
async function login({ rig, sshd }: { rig: Rig; sshd: Sshd }, config: readonly string[]): Promise<string[]> {
  const before = sshd.log().length;
  await connectIn(rig, sshd.writeClient({ config }), { ask: async () => PASSWORD });
  const steps = sshd
    .log()
    .slice(before)
    .matchAll(/^(Partial|Accepted) (\S+) for /gm);
  return [...steps].map(([, what, method]) => `${what} ${method}`);
}

test('PreferredAuthentications is the order in which methods are tried', async (t) => {
  const started = await start(t, []);
  if (started === undefined) return;
  assert.deepEqual(await login(started, []), ['Accepted publickey']);
  const passwordFirst = ['PreferredAuthentications password,publickey'];
  assert.deepEqual(await login(started, passwordFirst), ['Accepted password']);
});

test('partial success: a key and then a password, where the server wants both', async (t) => {
  const started = await start(t, ['AuthenticationMethods publickey,password']);
  if (started === undefined) return;
  assert.deepEqual(await login(started, []), ['Partial publickey', 'Accepted password']);
});
