import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../../rig/requirements.ts';
import { freePort } from '../../rig/servers.ts';
import { makeKey } from '../../rig/ssh-keys.ts';
import { clientOf, nothingLeft, passwordHost, refusal, startOpensshRig } from './openssh.ts';

test('a key that the server does not accept ends in what was tried and what is offered', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd({ config: ['PasswordAuthentication yes'] });
  const identity = await makeKey(join(rig.dir, 'id_stranger'));

  const error = await refusal(sshd.writeClient({ identity }));

  assert.equal(error.code, 'authentication-failed');
  assert.ok(error.hint.some((line) => line.includes(identity.file)));
  assert.ok(error.hint.some((line) => line.includes('publickey, password')));
  assert.ok(error.hint.some((line) => line.includes('nobody to ask')));
  await nothingLeft(rig);
});

test('without anybody to ask, a locked key is refused and nobody waits', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd();
  const identity = await makeKey(join(rig.dir, 'id_locked'), 'ed25519', 'secret');
  sshd.authorize(identity.publicKey);

  assert.equal((await refusal(sshd.writeClient({ identity }))).code, 'authentication-failed');
});

test('a password without anybody to ask for it is refused', async (t) => {
  if (!needs(t, 'ssh')) return;
  const rig = await startOpensshRig(t);
  const { client } = await passwordHost(rig, 'right');

  const error = await refusal(client);

  assert.equal(error.code, 'authentication-failed');
  assert.equal(error.exitStatus, 255);
});

for (const [how, ask] of [
  ['nobody can be asked', undefined],
  ['the answer is no', async () => 'no'],
  ['the question is declined', async () => undefined],
] as const) {
  test(`an unknown host key is refused when ${how}`, async (t) => {
    if (!needs(t, 'sshd')) return;
    const rig = await startOpensshRig(t);
    const sshd = await rig.sshd();
    const client = sshd.writeClient({ known: false });

    assert.equal((await refusal(client, ask)).code, 'host-key-unknown');
    assert.equal(readFileSync(client.knownHostsFile, 'utf8'), '');
    await nothingLeft(rig);
  });
}

test('a host key that has changed is refused, and what to do is said', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd();
  const { client } = sshd;
  await sshd.restart({ newHostKeys: true });

  const error = await refusal(client, async () => 'yes');

  assert.equal(error.code, 'host-key-changed');
  const hint = error.hint.join('\n');
  assert.ok(hint.includes(sshd.hostKeys[0]?.fingerprint ?? 'no key'), hint);
  assert.ok(hint.includes(client.knownHostsFile), hint);
});

test('a revoked host key is refused', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd();
  const { client } = sshd;
  writeFileSync(client.knownHostsFile, `@revoked * ${sshd.hostKeys[0]?.publicKey}\n`);

  assert.equal((await refusal(client, async () => 'yes')).code, 'host-key-revoked');
});

test('a port on which nobody listens, a name without an address and no common cipher each have their code', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd({ config: ['Ciphers aes256-ctr'] });
  const port = await freePort();

  assert.equal((await refusal(sshd.writeClient({ port }))).code, 'refused');
  assert.equal(
    (await refusal(sshd.writeClient({ config: ['HostName no-such-host.invalid'] }))).code,
    'unknown-host',
  );
  assert.equal((await refusal(sshd.writeClient({ config: ['Ciphers aes128-ctr'] }))).code, 'no-algorithm');
});

test('a server that says nothing is given up after ConnectTimeout', async (t) => {
  if (!needs(t, 'ssh')) return;
  const rig = await startOpensshRig(t);
  const mute = createServer().listen(0, '127.0.0.1');
  t.after(() => mute.close());
  await once(mute, 'listening');
  const client = await clientOf(rig, (mute.address() as AddressInfo).port, 'ssh-ed25519 AAAA', [
    'ConnectTimeout 1',
  ]);

  assert.equal((await refusal(client)).code, 'timeout');
  await nothingLeft(rig);
});

test('a machine without OpenSSH is told to install it', async (t) => {
  const rig = await startOpensshRig(t);
  const client = await clientOf(rig, 1, 'ssh-ed25519 AAAA');
  const path = process.env['PATH'];
  t.after(() => (process.env['PATH'] = path));
  process.env['PATH'] = rig.dir;

  const error = await refusal(client);
  process.env['PATH'] = path;

  assert.equal(error.code, 'ssh-missing');
  await nothingLeft(rig);
});
