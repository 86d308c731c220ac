import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { resolveSettings } from '../../src/config/ssh-config.ts';
import { needsOpenSsh } from '../../src/ssh/transport-choice.ts';
import { wireString, wireUint32 } from '../../src/ssh/wire.ts';
import { needs } from '../rig/requirements.ts';
import { startRig } from '../rig/rig.ts';
import { makeKey } from '../rig/ssh-keys.ts';
import { makeTempDir } from '../rig/temp-dir.ts';
import { startFidoAgent } from './ssh2/agent-double.ts';

/** The reason for a host with these lines of ssh_config; DIR in them is a folder of its own. */
async function reason(
  t: TestContext,
  config: readonly string[],
  prepare?: (dir: string) => void,
): Promise<string | undefined> {
  const dir = makeTempDir();
  t.after(() => dir.remove());
  prepare?.(dir.path);
  const own = ['HostName name.example', 'IdentityFile DIR/id', 'UserKnownHostsFile DIR/known_hosts'];
  const lines = ['Host h', ...config, ...own, 'GlobalKnownHostsFile /dev/null', 'IdentityAgent none', ''];
  const configFile = join(dir.path, 'config');
  writeFileSync(configFile, lines.join('\n').replaceAll('DIR', dir.path));
  const settings = await resolveSettings({ host: 'h' }, { configFile });
  return await needsOpenSsh(settings, { warn: () => assert.fail(), debug: () => undefined });
}

test('a host with nothing special is for ssh2', async (t) => {
  assert.equal(await reason(t, []), undefined);
  const harmless = ['HashKnownHosts yes', 'Compression yes', 'ForwardAgent yes', 'GSSAPIAuthentication no'];
  assert.equal(await reason(t, harmless), undefined);
});

for (const [line, said] of [
  ['PKCS11Provider /lib/token.so', /PKCS11Provider/],
  ['SecurityKeyProvider /lib/fido.so', /SecurityKeyProvider/],
  ['HostbasedAuthentication yes', /HostbasedAuthentication/],
  ['VerifyHostKeyDNS ask', /VerifyHostKeyDNS/],
  ['RevokedHostKeys DIR/revoked', /RevokedHostKeys/],
  ['ProxyUseFdpass yes', /ProxyUseFdpass/],
  ['KexAlgorithms sntrup761x25519-sha512@openssh.com', /KexAlgorithms has only sntrup/],
  ['MACs umac-64@openssh.com,umac-128-etm@openssh.com', /MACs has only umac/],
  ['HostKeyAlgorithms ssh-ed25519-cert-v01@openssh.com', /HostKeyAlgorithms has only/],
] as const) {
  test(`${line} is for OpenSSH`, async (t) => {
    if (!needs(t, 'ssh')) return;
    assert.match((await reason(t, [line])) ?? 'none', said);
  });
}

test('a CertificateFile is for OpenSSH, if it is there', async (t) => {
  const lines = ['CertificateFile DIR/%n-cert.pub'];
  assert.equal(await reason(t, lines), undefined);
  const write = (dir: string): void => writeFileSync(join(dir, 'h-cert.pub'), '');
  assert.match((await reason(t, lines, write)) ?? 'none', /CertificateFile/);
});

test('a key in a file that is encrypted with what ssh2 cannot undo is for OpenSSH', async (t) => {
  if (!needs(t, 'ssh')) return;
  const write = (dir: string): void => {
    const args = ['-q', '-t', 'ed25519', '-N', 'secret', '-Z', 'chacha20-poly1305@openssh.com'];
    execFileSync('ssh-keygen', [...args, '-f', join(dir, 'id')]);
  };
  assert.match((await reason(t, [], write)) ?? 'none', /id is encrypted with chacha20-poly1305@openssh.com$/);
});

test('what is switched off, or still has an algorithm in common, is for ssh2', async (t) => {
  assert.equal(await reason(t, ['RevokedHostKeys none', 'HostbasedAuthentication no']), undefined);
  assert.equal(await reason(t, ['KexAlgorithms ^sntrup761x25519-sha512@openssh.com']), undefined);
});

test('a certificate beside an identity file is for OpenSSH, if there may be a key with it', async (t) => {
  const write =
    (...names: string[]) =>
    (dir: string): void =>
      names.forEach((name) => writeFileSync(join(dir, name), ''));
  assert.equal(await reason(t, [], write('id-cert.pub')), undefined);
  for (const key of ['id', 'id.pub'])
    assert.match(
      (await reason(t, [], write('id-cert.pub', key))) ?? 'none',
      /certificate for an identity file/,
    );
  const inAgent = ['IdentityAgent DIR/agent'];
  assert.match(
    (await reason(t, inAgent, write('id-cert.pub'))) ?? 'none',
    /certificate for an identity file/,
  );
});

test('a FIDO key in a file is for OpenSSH, unless the agent holds it', async (t) => {
  const rig = await startRig(t);
  const agent = await rig.own(startFidoAgent(join(rig.folder('agent'), 'sock')));
  const blob = Buffer.from(agent.publicKey.split(' ')[1] ?? '', 'base64');
  const write = (dir: string): void => {
    const head = Buffer.concat([
      Buffer.from('openssh-key-v1\0'),
      ...['none', 'none', ''].map((text) => wireString(text)),
      wireUint32(1),
      wireString(blob),
    ]);
    const body = head.toString('base64');
    const text = `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}\n-----END OPENSSH PRIVATE KEY-----\n`;
    writeFileSync(join(dir, 'id'), text, { mode: 0o600 });
  };
  assert.match((await reason(t, [], write)) ?? 'none', /is a FIDO key/);
  assert.equal(await reason(t, [`IdentityAgent ${agent.path}`], write), undefined);
});

test('a host that a certificate authority vouches for is for OpenSSH, whether or not a plain key is known, too', async (t) => {
  if (!needs(t, 'ssh')) return;
  const rig = await startRig(t);
  const key = await makeKey(join(rig.dir, 'key'));
  const write = (name: string, text: string): string => {
    writeFileSync(join(rig.dir, name), text);
    return `UserKnownHostsFile ${join(rig.dir, name)}`;
  };
  const authority = `@cert-authority *.example ${key.publicKey}\n`;
  assert.match((await reason(t, [write('only', authority)])) ?? 'none', /@cert-authority/);
  const both = write('both', `${authority}name.example ${key.publicKey}\n`);
  assert.match((await reason(t, [both])) ?? 'none', /@cert-authority/);
  const port = write('port', authority);
  assert.match((await reason(t, [port, 'Port 2222'])) ?? 'none', /@cert-authority/);
  assert.equal(await reason(t, [write('other', authority.replace('*.example', '*.test'))]), undefined);
});

test('GSSAPI is for OpenSSH where there is a ticket, and not for everybody whose system switches it on', async (t) => {
  if (!needs(t, 'ssh')) return;
  const rig = await startRig(t);
  const folder = rig.folder('bin');
  const before = process.env['PATH'];
  t.after(() => {
    process.env['PATH'] = before;
  });
  process.env['PATH'] = `${folder}:${before}`;
  copyFileSync('/bin/false', join(folder, 'klist'));
  assert.equal(await reason(t, ['GSSAPIAuthentication yes']), undefined);
  copyFileSync('/bin/true', join(folder, 'klist'));
  assert.match((await reason(t, ['GSSAPIAuthentication yes'])) ?? 'none', /Kerberos/);
});
