import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../rig/requirements.ts';
import { startRig } from '../rig/rig.ts';
import { freePort } from '../rig/servers.ts';
import { makeKey } from '../rig/ssh-keys.ts';
import { until } from '../rig/until.ts';

for (const transport of ['ssh2', 'openssh']) {
  const flags = ['--transport', transport];

  for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
    test(`${transport}: an ${type} key that only the agent can use logs in`, async (t) => {
      if (!needs(t, 'sshd')) return;
      const rig = await startRig(t);
      const sshd = await rig.sshd();
      const socket = join(rig.folder('agent'), 'agent.sock');
      // The socket is there before it is listened on.
      const ready = (output: string): boolean => output.includes('SSH_AUTH_SOCK=');
      await rig.start(['ssh-agent', '-D', '-a', socket], { ready });
      const key = await makeKey(join(rig.folder('keys'), 'key'), type);
      sshd.authorize(key.publicKey);
      await rig.run(['ssh-add', key.file], { env: { ...rig.env, SSH_AUTH_SOCK: socket } });
      // IdentitiesOnly with the public half alone: the file names the key, the agent signs.
      const client = sshd.writeClient({
        name: 'agent',
        identity: { ...key, file: `${key.file}.pub` },
        config: [`IdentityAgent ${socket}`],
      });
      const port = await freePort();
      const tunnel = await rig.tunnel([...client.flags, ...flags, 'agent', String(port)]);
      await tunnel.waitFor(new RegExp(`localhost:${port}`));
    });
  }

  test(`${transport}: a host key that the server adds is learned with UpdateHostKeys`, async (t) => {
    if (!needs(t, 'sshd')) return;
    const rig = await startRig(t);
    const sshd = await rig.sshd({ hostKeys: ['ed25519', 'ecdsa'] });
    const { knownHostsFile, flags: client } = sshd.client;
    const known = readFileSync(knownHostsFile, 'utf8').split('\n');
    writeFileSync(knownHostsFile, `${known.find((line) => line.includes('ssh-ed25519'))}\n`);
    const port = await freePort();
    const options = ['-o', 'UpdateHostKeys=yes'];
    const tunnel = await rig.tunnel([...client, ...flags, ...options, 'vps', String(port)]);
    await tunnel.waitFor(new RegExp(`localhost:${port}`));
    const learned = sshd.hostKeys[1]?.publicKey.split(' ')[1] ?? 'no key';
    await until('the new key is in known_hosts', () =>
      readFileSync(knownHostsFile, 'utf8').includes(learned),
    );
    assert.match(readFileSync(knownHostsFile, 'utf8'), /ssh-ed25519/);
  });

  test(`${transport}: ClearAllForwardings leaves a session that stays up with nothing opened`, async (t) => {
    if (!needs(t, 'sshd')) return;
    const rig = await startRig(t);
    const sshd = await rig.sshd({ relay: true });
    const options = ['-o', 'ClearAllForwardings=yes'];
    const tunnel = await rig.tunnel([...sshd.client.flags, ...flags, ...options, '--json', 'vps', '8081']);
    await tunnel.waitForEvent('ready');
    assert.equal(sshd.relay?.open, 1);
    assert.equal((await tunnel.interrupt()).status, 130);
    assert.ok(tunnel.events.every(({ event }) => event !== 'forward'));
  });

  test(`${transport}: a host is found in a known_hosts file of 50,000 others, as ssh finds it`, async (t) => {
    if (!needs(t, 'sshd')) return;
    const rig = await startRig(t);
    const sshd = await rig.sshd();
    const { knownHostsFile, flags: client } = sshd.client;
    const own = readFileSync(knownHostsFile, 'utf8');
    const key = own.trim().split(' ').slice(1).join(' ');
    const others = Array.from({ length: 50_000 }, (_, index) => `host-${index}.example ${key}\n`);
    writeFileSync(knownHostsFile, others.join('') + own);
    const strict = ['-o', 'StrictHostKeyChecking=yes'];
    const ssh = await rig.run(['ssh', ...client, ...strict, '-o', 'BatchMode=yes', 'vps', 'true']);
    assert.equal(ssh.status, 0, ssh.stderr);
    const port = await freePort();
    const tunnel = await rig.tunnel([...client, ...flags, ...strict, 'vps', String(port)]);
    await tunnel.waitFor(new RegExp(`localhost:${port}`));
  });
}

for (const [what, config] of [
  ['key exchange', ['KexAlgorithms sntrup761x25519-sha512@openssh.com']],
  ['MAC', ['MACs umac-128-etm@openssh.com', 'Ciphers aes128-ctr']],
] as const) {
  test(`a server with no ${what} that ssh2 knows is reached all the same, unless ssh2 is asked for`, async (t) => {
    if (!needs(t, 'sshd', 'ssh')) return;
    const rig = await startRig(t);
    const sshd = await rig.sshd({ config });
    const port = await freePort();
    const tunnel = await rig.tunnel([...sshd.client.flags, '-v', 'vps', String(port)]);
    await tunnel.waitFor(new RegExp(`localhost:${port}`));
    assert.match(tunnel.stderr, new RegExp(`transport openssh: ssh2 and vps have no ${what}.* in common`));
    await tunnel.interrupt();
    const asked = await rig.tunnel([...sshd.client.flags, '--transport', 'ssh2', 'vps', String(port)]);
    assert.equal((await asked.exit).status, 255);
    assert.match(asked.stderr, /no .* in common[\s\S]*--transport openssh/);
  });
}

test('a jump host with no algorithm that ssh2 knows is passed all the same', async (t) => {
  if (!needs(t, 'sshd', 'ssh')) return;
  const rig = await startRig(t);
  const hop = await rig.sshd({ config: ['KexAlgorithms sntrup761x25519-sha512@openssh.com'] });
  const sshd = await rig.sshd();
  const client = sshd.writeClient({ name: 'behind', config: ['ProxyJump vps'] });
  writeFileSync(client.configFile, readFileSync(hop.client.configFile, 'utf8'), { flag: 'a' });
  const port = await freePort();
  const tunnel = await rig.tunnel([...client.flags, '-v', 'behind', String(port)]);
  await tunnel.waitFor(new RegExp(`localhost:${port}`));
  assert.match(tunnel.stderr, /transport openssh: ssh2 and vps have no key exchange/);
});
