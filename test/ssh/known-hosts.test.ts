import assert from 'node:assert/strict';
import { test } from 'node:test';
import { knownHostsName } from '../../src/ssh/known-hosts.ts';
import { hashName } from '../../src/ssh/known-hosts-line.ts';
import { ed25519, folder, load, rsa, text } from './known-hosts-samples.ts';

const VPS = { name: 'vps' };
const VPS_2222 = { name: '[vps]:2222', withoutPort: 'vps' };

test('a host is looked up in lower case, with its port unless that is 22', () => {
  assert.deepEqual(knownHostsName({ hostname: 'VPS.example', port: 22 }), { name: 'vps.example' });
  assert.deepEqual(knownHostsName({ hostname: 'vps', port: 2222 }), VPS_2222);
  assert.deepEqual(knownHostsName({ hostname: '2001:DB8::1', port: 2222 }), {
    name: '[2001:db8::1]:2222',
    withoutPort: '2001:db8::1',
  });
});

test('a HostKeyAlias stands for name and port', () => {
  assert.deepEqual(knownHostsName({ hostname: 'x', port: 2222, hostKeyAlias: 'Vps' }), VPS);
});

test('a key is known in the file and line that holds it, among others of the host', async (t) => {
  const dir = folder(t);
  const key = ed25519();
  const first = dir.file('first', `vps ${text(ed25519())}\n`);
  const second = dir.file(
    'second',
    `# comment\nother ${text(ed25519())}\nvps ${text(rsa())}\nvps ${text(key)}`,
  );
  const { hosts } = await load(first, second);
  assert.deepEqual(hosts.verdict(VPS, key), { kind: 'known', file: second, line: 4 });
});

test('a key is changed when the host has others only, whatever their type', async (t) => {
  const dir = folder(t);
  const file = dir.file('known_hosts', `vps ${text(ed25519())}\nvps ${text(rsa())}\n`);
  const { hosts } = await load(file);
  const changed = { kind: 'changed', file, line: 2, type: 'ssh-rsa' };
  assert.deepEqual(hosts.verdict(VPS, ed25519()), changed);
  assert.deepEqual(hosts.verdict(VPS, rsa()), changed);
});

test('a revoked key is revoked even where it is known too', async (t) => {
  const dir = folder(t);
  const key = ed25519();
  const file = dir.file('known_hosts', `vps ${text(key)}\n@revoked * ${text(key)}\n`);
  const { hosts } = await load(file);
  assert.deepEqual(hosts.verdict(VPS, key), { kind: 'revoked', file, line: 2 });
  assert.deepEqual(hosts.verdict(VPS_2222, key), { kind: 'revoked', file, line: 2 });
});

test('a revoked key of another host, or another revoked key, is nothing to this one', async (t) => {
  const dir = folder(t);
  const key = ed25519();
  const file = dir.file('known_hosts', `@revoked other ${text(key)}\n@revoked vps ${text(ed25519())}\n`);
  const { hosts } = await load(file);
  assert.equal(hosts.verdict(VPS, key).kind, 'unknown');
});

test('on another port the key without a port counts, while another key without a port says nothing', async (t) => {
  const dir = folder(t);
  const key = ed25519();
  const file = dir.file('known_hosts', `vps ${text(key)}\n`);
  const { hosts } = await load(file);
  assert.deepEqual(hosts.verdict(VPS_2222, key), { kind: 'known', file, line: 1 });
  assert.equal(hosts.verdict(VPS_2222, ed25519()).kind, 'unknown');
  assert.equal(hosts.verdict({ name: '[vps]:2222' }, key).kind, 'unknown');
});

test('a key that is revoked without a port is revoked on every port', async (t) => {
  const dir = folder(t);
  const key = ed25519();
  const file = dir.file('known_hosts', `@revoked vps ${text(key)}\n`);
  const { hosts } = await load(file);
  assert.deepEqual(hosts.verdict(VPS_2222, key), { kind: 'revoked', file, line: 1 });
});

test('a key of one port is unknown on another', async (t) => {
  const dir = folder(t);
  const key = ed25519();
  const { hosts } = await load(dir.file('known_hosts', `[vps]:2222 ${text(key)}\n`));
  assert.equal(hosts.verdict(VPS_2222, key).kind, 'known');
  assert.equal(hosts.verdict(VPS, key).kind, 'unknown');
  assert.equal(hosts.verdict({ name: '[vps]:2223', withoutPort: 'vps' }, key).kind, 'unknown');
});

test("a plain key does not match the key of the host's certificate authority", async (t) => {
  const dir = folder(t);
  const key = ed25519();
  const { hosts } = await load(dir.file('known_hosts', `@cert-authority *ps ${text(key)}\n`));
  const unknown = { kind: 'unknown', otherNames: [], certificateAuthority: true };
  assert.deepEqual(hosts.verdict(VPS, key), unknown);
  assert.deepEqual(hosts.verdict({ name: 'other' }, key), { ...unknown, certificateAuthority: false });
  assert.deepEqual(hosts.keyTypes(VPS), []);
});

test('an authority that is named without a port is one on every port, but not the other way round', async (t) => {
  const dir = folder(t);
  const key = ed25519();
  const general = await load(dir.file('general', `@cert-authority vps ${text(key)}\n`));
  assert.deepEqual(general.hosts.verdict(VPS_2222, key), {
    kind: 'unknown',
    otherNames: [],
    certificateAuthority: true,
  });
  const special = await load(dir.file('special', `@cert-authority [vps]:2222 ${text(key)}\n`));
  assert.equal(special.hosts.knowsAuthority(VPS_2222), true);
  assert.equal(special.hosts.knowsAuthority(VPS), false);
});

test('an unknown key comes with the other names that it is known by', async (t) => {
  const dir = folder(t);
  const key = ed25519();
  const hashed = hashName('hidden', Buffer.alloc(20, 7));
  const user = dir.file('user', `one,two ${text(key)}\nthree ${text(rsa())}\n${hashed} ${text(key)}\n`);
  const global = dir.file('global', `@revoked four ${text(key)}\nfive ${text(key)}\n`);
  const { hosts } = await load(user, global);
  assert.deepEqual(hosts.verdict(VPS, key), {
    kind: 'unknown',
    otherNames: [
      { file: user, line: 1, hosts: 'one,two' },
      { file: user, line: 3 },
      { file: global, line: 2, hosts: 'five' },
    ],
    certificateAuthority: false,
  });
});

test('the known key types are those of plain keys under this very name, each once', async (t) => {
  const dir = folder(t);
  const lines = [
    `vps ${text(rsa())}`,
    `v* ${text(ed25519())}`,
    `vps ${text(rsa())}`,
    `@revoked vps ${text(ed25519())}`,
    `[vps]:2222 ${text(rsa())}`,
  ];
  const { hosts } = await load(dir.file('known_hosts', lines.join('\n')));
  assert.deepEqual(hosts.keyTypes(VPS), ['ssh-rsa', 'ssh-ed25519']);
  assert.deepEqual(hosts.keyTypes(VPS_2222), ['ssh-rsa']);
  assert.deepEqual(hosts.keyTypes({ name: 'other' }), []);
});

test('missing files are empty ones, without a word', async (t) => {
  const dir = folder(t);
  const { hosts, warnings } = await load(dir.path('none'), `${dir.file('file', '')}/none`);
  assert.deepEqual(warnings, []);
  assert.equal(hosts.verdict(VPS, ed25519()).kind, 'unknown');
});

test('a file that cannot be read is warned about, and the others are used', async (t) => {
  const dir = folder(t);
  const key = ed25519();
  const { hosts, warnings } = await load(dir.path('.'), dir.file('known_hosts', `vps ${text(key)}`));
  assert.equal(hosts.verdict(VPS, key).kind, 'known');
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /known-hosts-.*EISDIR/);
});

test('broken lines are named in one warning, and the lines around them are used', async (t) => {
  const dir = folder(t);
  const key = ed25519();
  const file = dir.file(
    'known_hosts',
    `# fine\n\nvps ssh-ed25519 AAAA\nvps ssh-new AAAA\nvps\r\nvps ${text(key)}`,
  );
  const { hosts, warnings } = await load(file);
  assert.deepEqual(hosts.verdict(VPS, key), { kind: 'known', file, line: 6 });
  assert.deepEqual(warnings, [
    `${file}: skipped what is no host key known to this program, in line 3, 4, 5.`,
  ]);
});

test('of many broken lines the first are named', async (t) => {
  const file = folder(t).file('known_hosts', 'junk\n'.repeat(100_000));
  const { warnings } = await load(file);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /in line 1, 2, 3, 4, 5 and 99995 more\.$/);
});

test('bytes that are not UTF-8 do not hide the lines around them', async (t) => {
  const dir = folder(t);
  const key = ed25519();
  const noise = Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0a]);
  const file = dir.file('known_hosts', Buffer.concat([noise, Buffer.from(`vps ${text(key)}\n`), noise]));
  const { hosts } = await load(file);
  assert.deepEqual(hosts.verdict(VPS, key), { kind: 'known', file, line: 2 });
});

test('100,000 lines, half of them hashed, are searched to the last', async (t) => {
  const dir = folder(t);
  const key = ed25519();
  const other = text(ed25519());
  const lines = Array.from({ length: 100_000 }, (_, index) => {
    const name = `host-${index}`;
    return `${index % 2 === 0 ? name : hashName(name, Buffer.alloc(20, index))} ${other}`;
  });
  const file = dir.file('known_hosts', [...lines, `vps ${text(key)}`].join('\n'));
  const { hosts } = await load(file);
  assert.deepEqual(hosts.verdict(VPS, key), { kind: 'known', file, line: 100_001 });
  assert.equal(hosts.verdict({ name: 'host-99999' }, key).kind, 'changed');
});
