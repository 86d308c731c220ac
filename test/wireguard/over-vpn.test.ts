import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDestination } from '../../src/config/destination.ts';
import type { SshFlags } from '../../src/config/settings.ts';
import { resolveSettings } from '../../src/config/ssh-config.ts';
import { startVpnHost } from '../program/vpn-host.ts';
import { overVpn, type SshWay } from '../../src/wireguard/over-vpn.ts';

async function way(flags: SshFlags): Promise<SshWay> {
  const given = { configFile: 'none', ...flags };
  return { flags: given, settings: await resolveSettings(parseDestination('vps'), given) };
}

test('the address is the one of the VPN, and the host key that of the own name', async () => {
  const { settings } = overVpn(await way({ options: ['HostName=vps.example.com'] }), '10.0.0.1');
  assert.equal(settings.hostname, '10.0.0.1');
  assert.equal(settings.hostKeyAlias, 'vps.example.com');
  assert.equal(settings.checkHostIp, false);
});

test('with another port the host key is known under the name and the port', async () => {
  const { settings } = overVpn(await way({ port: 2222 }), '10.0.0.1');
  assert.equal(settings.hostKeyAlias, '[vps]:2222');
  assert.equal(settings.port, 2222);
});

test('a HostKeyAlias stays, and jumps go', async () => {
  const flags = { options: ['HostKeyAlias=mine'], jump: 'bastion', addressFamily: 'inet' } as const;
  const over = overVpn(await way(flags), 'fd00::1');
  assert.equal(over.settings.hostKeyAlias, 'mine');
  assert.deepEqual(over.settings.proxyJump, []);
  assert.equal(over.flags.jump, undefined);
});

test('the flags say to ssh what the settings say', async () => {
  const flags = { options: ['HostName=vps.example.com', 'ProxyCommand=nc %h %p'], port: 2222 };
  const over = overVpn(await way(flags), '10.0.0.1');
  const resolved = await resolveSettings(parseDestination('vps'), over.flags);
  for (const key of [
    'hostname',
    'hostKeyAlias',
    'checkHostIp',
    'proxyJump',
    'proxyCommand',
    'addressFamily',
  ] as const)
    assert.deepEqual(resolved[key], over.settings[key], key);
});

test('ssh reaches the host in the VPN under the key that is known for its public name', async (t) => {
  const host = await startVpnHost(t);
  if (host === undefined) return;
  const { rig, net, client } = host;
  const flags = { configFile: client.configFile, options: ['StrictHostKeyChecking=yes'] };
  const settings = await resolveSettings(parseDestination('vps'), flags);
  const over = overVpn({ settings, flags }, net.far.vpnAddress);
  const options = (over.flags.options ?? []).flatMap((option) => ['-o', option]);
  const command = ['ssh', '-F', client.configFile, ...options, 'vps', 'echo', 'hello'];
  const ssh = await rig.run([...net.near.prefix, ...command]);
  assert.equal(ssh.stdout, 'hello\n', ssh.stderr);
  assert.deepEqual(host.sshConnections(), [net.far.vpnAddress]);
});
