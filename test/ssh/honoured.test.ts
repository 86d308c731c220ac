import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { HostSettings } from '../../src/config/settings.ts';
import { resolveSettings } from '../../src/config/ssh-config.ts';
import { configuredOptions, treatmentOf, unhonoured } from '../../src/ssh/honoured.ts';
import { dump, skip, SOURCES, withOpenSsh, withoutOpenSsh, write } from '../config/config-files.ts';

const CARRIERS = ['ssh2', 'openssh'] as const;

async function settingsOf(
  lines: readonly string[],
  env: NodeJS.ProcessEnv = withOpenSsh,
): Promise<HostSettings> {
  const configFile = write({ config: `Host *\n${lines.map((line) => `  ${line}\n`).join('')}` });
  return await resolveSettings({ host: 'vps' }, { configFile }, { env });
}

/** Options that ssh prints only where they are set. */
const PRINTED_WHEN_SET = [
  'BindAddress=127.0.0.1',
  'BindInterface=lo',
  'CertificateFile=/c',
  'ControlPath=/m',
  'DynamicForward=1080',
  'HostKeyAlias=a',
  'IdentityAgent=/a',
  'IgnoreUnknown=x',
  'KbdInteractiveDevices=pam',
  'KnownHostsCommand=/bin/true',
  'LocalCommand=true',
  'LocalForward=1 h:1',
  'PKCS11Provider=/p',
  'PreferredAuthentications=publickey',
  'ProxyCommand=false',
  'RemoteCommand=true',
  'RemoteForward=2 h:2',
  'RevokedHostKeys=/r',
  'SendEnv=X',
  'SetEnv=X=1',
];

test('every option that ssh prints is in the table', { skip }, () => {
  const printed = new Set([
    ...dump('vps', ['-F', 'none']).keys(),
    ...dump('vps', ['-F', 'none', ...PRINTED_WHEN_SET.flatMap((option) => ['-o', option])]).keys(),
    ...dump('vps', ['-F', 'none', '-J', 'hop']).keys(),
  ]);
  for (const option of PRINTED_WHEN_SET) {
    const name = option.replace(/=.*/s, '').toLowerCase();
    assert.ok(printed.has(name), `${name} is set and printed`);
  }
  assert.deepEqual(
    [...printed].filter((name) => treatmentOf(name).name === name),
    [],
    'known by how ssh_config(5) writes it',
  );
});

/** Where each field of the settings is from; those left out are about the settings themselves. */
const FIELDS = {
  hostname: 'Hostname',
  port: 'Port',
  user: 'User',
  addressFamily: 'AddressFamily',
  bindAddress: 'BindAddress',
  connectTimeout: 'ConnectTimeout',
  connectionAttempts: 'ConnectionAttempts',
  tcpKeepAlive: 'TCPKeepAlive',
  identityFiles: 'IdentityFile',
  identitiesOnly: 'IdentitiesOnly',
  identityAgent: 'IdentityAgent',
  addKeysToAgent: 'AddKeysToAgent',
  pubkeyAcceptedAlgorithms: 'PubkeyAcceptedAlgorithms',
  batchMode: 'BatchMode',
  numberOfPasswordPrompts: 'NumberOfPasswordPrompts',
  preferredAuthentications: 'PreferredAuthentications',
  userKnownHostsFiles: 'UserKnownHostsFile',
  globalKnownHostsFiles: 'GlobalKnownHostsFile',
  strictHostKeyChecking: 'StrictHostKeyChecking',
  hashKnownHosts: 'HashKnownHosts',
  updateHostKeys: 'UpdateHostKeys',
  checkHostIp: 'CheckHostIP',
  noHostAuthenticationForLocalhost: 'NoHostAuthenticationForLocalhost',
  knownHostsCommand: 'KnownHostsCommand',
  hostKeyAlias: 'HostKeyAlias',
  serverAliveInterval: 'ServerAliveInterval',
  serverAliveCountMax: 'ServerAliveCountMax',
  compression: 'Compression',
  rekeyLimit: 'RekeyLimit',
  ciphers: 'Ciphers',
  macs: 'MACs',
  kexAlgorithms: 'KexAlgorithms',
  hostKeyAlgorithms: 'HostKeyAlgorithms',
  proxyJump: 'ProxyJump',
  proxyCommand: 'ProxyCommand',
} satisfies Record<
  Exclude<keyof HostSettings, 'alias' | 'jumpFlags' | 'options' | 'configured' | 'warnings'>,
  string
>;

test('every option that has a field in the settings is honoured by both transports', () => {
  for (const [field, name] of Object.entries(FIELDS)) {
    const { name: known, by } = treatmentOf(name);
    assert.equal(known, name);
    assert.deepEqual(by, CARRIERS, field);
  }
});

test('every option that the code reads by its name is honoured', () => {
  const root = fileURLToPath(new URL('../../src', import.meta.url));
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const read = files
    .filter((file) => !file.includes('honoured'))
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .flatMap((text) => [...text.matchAll(/(?:isOn\(\w+, |options\.get\()'([a-z0-9]+)'/g)])
    .map(([, name]) => name ?? '');
  assert.ok(read.length >= 5, read.join(' '));
  for (const name of read) assert.ok(treatmentOf(name).by.length > 0, name);
});

/** What people and distributions have in their files, and what says no more than the default. */
const ORDINARY = `AddKeysToAgent yes
  CASignatureAlgorithms ssh-ed25519
  CertificateFile none
  Compression yes
  ControlMaster auto
  ControlPath ~/.ssh/%C
  ControlPersist 10m
  EscapeChar none
  FingerprintHash sha256
  ForwardAgent yes
  ForwardX11 yes
  ForwardX11Trusted yes
  GSSAPIAuthentication yes
  GSSAPIDelegateCredentials yes
  HashKnownHosts yes
  HostbasedAuthentication no
  IPQoS lowdelay none
  LocalCommand notify-send %h
  LogLevel QUIET
  PKCS11Provider none
  RemoteCommand tmux attach
  RequestTTY force
  SecurityKeyProvider internal
  SendEnv LANG LC_*
  ServerAliveInterval 30
  SessionType none
  SetEnv TERM=xterm
  StreamLocalBindMask 0177
  StreamLocalBindUnlink yes
  StrictHostKeyChecking accept-new
  TCPKeepAlive no
  Tunnel no
  UserKnownHostsFile /dev/null
  VerifyHostKeyDNS no
  VisualHostKey no
  XAuthLocation /usr/bin/xauth`.split(/\n\s*/);

for (const { source, env, skip } of SOURCES) {
  test(`an ordinary configuration has no warnings, read by ${source}`, { skip }, async () => {
    const settings = await settingsOf(ORDINARY, env);
    assert.ok(settings.configured.size > 20);
    for (const carrier of CARRIERS) assert.deepEqual(unhonoured(settings, carrier), []);
  });
}

const OPENSSH_ALONE = [
  'BindInterface lo',
  'CertificateFile ~/.ssh/key-cert.pub',
  'FingerprintHash md5',
  'HostbasedAuthentication yes',
  'IPQoS none cs1',
  'IPQoS throughput',
  'KbdInteractiveDevices pam',
  'PKCS11Provider /usr/lib/p11.so',
  'ProxyUseFdpass yes',
  'RequiredRSASize 3072',
  'RevokedHostKeys /etc/ssh/revoked',
  'SecurityKeyProvider /usr/lib/sk.so',
  'VerifyHostKeyDNS ask',
  'VisualHostKey yes',
];

suite('what ssh2 does not honour and the ssh program does', { skip }, () => {
  for (const line of OPENSSH_ALONE) {
    test(`"${line}" is one warning with ssh2 and none with the ssh program`, async () => {
      const settings = await settingsOf([line]);
      const [warning = '', ...more] = unhonoured(settings, 'ssh2');
      assert.deepEqual(more, []);
      assert.ok(warning.startsWith(`${line.split(' ')[0]} is not honoured: `), warning);
      assert.match(warning, /--transport openssh/);
      assert.deepEqual(unhonoured(settings, 'openssh'), []);
    });
  }
});

suite('what no transport honours', { skip }, () => {
  for (const line of ['ForkAfterAuthentication yes', 'Tunnel ethernet']) {
    test(`"${line}" is one warning that says what to do`, async () => {
      // ssh refuses to go to the background where it would open a shell.
      const settings = await settingsOf([line, 'SessionType none']);
      for (const carrier of CARRIERS) {
        const [warning = '', ...more] = unhonoured(settings, carrier);
        assert.deepEqual(more, []);
        assert.match(warning, new RegExp(`^${line.split(' ')[0]} is not honoured: .+\\. .+`));
        assert.doesNotMatch(warning, /--transport/);
      }
    });
  }
});

test('a LocalCommand is missed only where PermitLocalCommand lets ssh run it', { skip }, async () => {
  const permitted = await settingsOf(['LocalCommand true', 'PermitLocalCommand yes']);
  assert.match(unhonoured(permitted, 'ssh2').join('\n'), /^LocalCommand is not honoured: .*$/);
  const alone = await settingsOf(['LocalCommand true']);
  assert.deepEqual(unhonoured(alone, 'ssh2'), []);
});

test('without ssh a RefuseConnection that nobody enforces is a warning', async () => {
  const settings = await settingsOf(['RefuseConnection retired'], withoutOpenSsh);
  assert.match(unhonoured(settings, 'ssh2').join('\n'), /^RefuseConnection is not honoured: .*$/);
});

test('an option of a newer ssh is left to ssh, and a warning without it', { skip }, async () => {
  const settings = await settingsOf([]);
  const newer: HostSettings = {
    ...settings,
    options: new Map([...settings.options, ['entangle', ['yes']]]),
    configured: new Set(['entangle']),
  };
  assert.match(unhonoured(newer, 'ssh2').join('\n'), /^entangle is not honoured: .* not known/);
  assert.deepEqual(unhonoured(newer, 'openssh'), []);
});

test('what is not configured is not listed', { skip }, async () => {
  const settings = await settingsOf(['Port 22', 'ForwardAgent yes', 'Compression yes']);
  assert.deepEqual(
    configuredOptions(settings, 'ssh2').map(({ name, values, honoured, missed }) => [
      name,
      values,
      honoured,
      missed,
    ]),
    [
      ['Compression', ['yes'], true, false],
      ['ForwardAgent', ['yes'], false, false],
    ],
  );
});
