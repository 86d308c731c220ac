import assert from 'node:assert/strict';
import { writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseSettings } from '../../src/discover/forwarding-settings.ts';
import { explainSocketTrouble } from '../../src/discover/socket-trouble.ts';
import type { DialError } from '../../src/errors.ts';
import { needs } from '../rig/requirements.ts';
import { startRig } from '../rig/rig.ts';
import { REFUSAL, remote, type RemoteOptions } from './remote.ts';
import { listenAt } from './sockets.ts';

function sshd(...lines: readonly string[]): string[] {
  const output = lines.map((line, index) => `/etc/ssh/sshd_config:${index + 1}:${line}`).join('\n');
  return parseSettings(output, '').map(({ bars, place, text }) => `${bars} ${place} ${text}`);
}

function keys(line: string): string[] {
  return parseSettings('', `/home/a b/.ssh/authorized_keys:7:${line}`).map(
    ({ bars, place, text }) => `${bars} ${place} ${text}`,
  );
}

test('what shuts out sockets alone, everything, and what is not listed, is told apart, however it is written', () => {
  assert.deepEqual(
    sshd('AllowStreamLocalForwarding remote', ' allowtcpforwarding=No', 'DisableForwarding "yes"'),
    [
      'sockets /etc/ssh/sshd_config:1 AllowStreamLocalForwarding remote',
      'all /etc/ssh/sshd_config:2 allowtcpforwarding=No',
      'all /etc/ssh/sshd_config:3 DisableForwarding "yes"',
    ],
  );
  assert.deepEqual(sshd('PermitOpen a:1 b:2', 'PermitOpen none'), [
    'unlisted /etc/ssh/sshd_config:1 PermitOpen a:1 b:2',
    'unlisted /etc/ssh/sshd_config:2 PermitOpen none',
  ]);
});

test('what permits is not held against the server', () => {
  const lines = ['AllowTcpForwarding local', 'AllowStreamLocalForwarding yes', 'DisableForwarding no'];
  assert.deepEqual(sshd(...lines, 'PermitOpen any', 'Match User x'), []);
});

test('a line under a Match is shown with it, and the next file begins without one', () => {
  const output = ['/a:1:Match Group sftp', '/a:2:  AllowTcpForwarding no', '/b:1:PermitOpen h:1'].join('\n');
  assert.deepEqual(
    parseSettings(output, '').map(({ place }) => place),
    ['/a:2 (Match Group sftp)', '/b:1'],
  );
});

test('the options of a key are read, not its command, its comment or the key itself', () => {
  const place = '/home/a b/.ssh/authorized_keys:7';
  assert.deepEqual(keys('restrict ssh-ed25519 AAAA me'), [`all ${place} restrict`]);
  assert.deepEqual(keys('command="a \\"b, c",No-Port-Forwarding ssh-rsa AAAA'), [
    `all ${place} no-port-forwarding`,
  ]);
  assert.deepEqual(keys('restrict,port-forwarding,permitopen="a:1",permitopen="b:2" ssh-rsa AAAA'), [
    `unlisted ${place} permitopen="a:1",permitopen="b:2"`,
  ]);
  assert.deepEqual(keys('restrict,port-forwarding ssh-rsa AAAA'), []);
  assert.deepEqual(keys('ssh-ed25519 AAAA restrict'), []);
  assert.deepEqual(keys('command="x restrict,permitopen=" ssh-ed25519 AAAA'), []);
  assert.deepEqual(keys('# restrict ssh-ed25519 AAAA'), []);
});

/** What is said of a socket with nothing wrong about it. */
async function explain(
  t: TestContext,
  options: Pick<RemoteOptions, 'tcpPermitted'>,
  files: { readonly sshd?: string; readonly more?: string; readonly keys?: string } = {},
): Promise<DialError> {
  const rig = await startRig(t);
  const [etc, home] = [rig.folder('etc'), rig.folder('home')];
  mkdirSync(join(etc, 'sshd_config.d'));
  mkdirSync(join(home, '.ssh'));
  if (files.sshd !== undefined) writeFileSync(join(etc, 'sshd_config'), files.sshd);
  if (files.more !== undefined) writeFileSync(join(etc, 'sshd_config.d', '50-more.conf'), files.more);
  if (files.keys !== undefined) writeFileSync(join(home, '.ssh', 'authorized_keys'), files.keys);
  const path = join(home, 'app.sock');
  await rig.own(listenAt(path));
  // Its own /etc/ssh, seen by nobody else.
  const prefix = ['unshare', '--mount', 'sh', '-c', `mount --bind ${etc} /etc/ssh && exec "$@"`, 'sh'];
  return explainSocketTrouble(remote(rig, { ...options, home, prefix }), { kind: 'unix', path }, REFUSAL);
}

test('with ports permitted it is AllowStreamLocalForwarding, shown where it is found', async (t) => {
  if (!needs(t, 'netns')) return;
  const error = await explain(
    t,
    { tcpPermitted: true },
    { sshd: '# x\nAllowStreamLocalForwarding no\nPermitOpen a:1\n' },
  );
  assert.equal(error.code, 'socket-forwarding-prohibited');
  assert.match(error.message, /permits ports, but no sockets$/);
  assert.deepEqual(error.hint.slice(1, 2), [
    'This may be why: /etc/ssh/sshd_config:2: AllowStreamLocalForwarding no',
  ]);
  assert.doesNotMatch(error.hint.join('\n'), /PermitOpen/);
});

test('with ports refused, a switch and a list are told apart by what can be read', async (t) => {
  if (!needs(t, 'netns')) return;
  const [off, listed, restricted, listedKey] = await Promise.all([
    explain(t, { tcpPermitted: false }, { sshd: 'Match User x\nAllowTcpForwarding no\n' }),
    explain(t, { tcpPermitted: false }, { sshd: 'AllowTcpForwarding yes\n', more: '\nPermitOpen a:1\n' }),
    explain(t, { tcpPermitted: false }, { keys: 'restrict ssh-ed25519 AAAA x\n' }),
    explain(t, { tcpPermitted: false }, { keys: '\npermitopen="a:1" ssh-ed25519 AAAA x\n' }),
  ]);
  for (const error of [off, listed, restricted, listedKey]) assert.equal(error.code, 'forwarding-prohibited');
  assert.match(off.message, /seems to be switched off on the SSH server$/);
  assert.equal(off.hint[0], 'This may be why: /etc/ssh/sshd_config:2 (Match User x): AllowTcpForwarding no');
  assert.match(listed.message, /seems to permit listed ports only$/);
  assert.equal(listed.hint[0], 'This may be why: /etc/ssh/sshd_config.d/50-more.conf:2: PermitOpen a:1');
  assert.match(restricted.message, /switched off/);
  assert.match(restricted.hint[0] ?? '', /\/\.ssh\/authorized_keys:1: restrict$/);
  assert.match(listedKey.message, /listed ports only/);
  assert.match(listedKey.hint[0] ?? '', /\/\.ssh\/authorized_keys:2: permitopen="a:1"$/);
});

test('with ports refused and nothing found, or both, every cause is named', async (t) => {
  if (!needs(t, 'netns')) return;
  const nothing = await explain(t, { tcpPermitted: false });
  const both = await explain(t, { tcpPermitted: false }, { sshd: 'AllowTcpForwarding no\nPermitOpen a:1\n' });
  for (const error of [nothing, both]) {
    assert.match(error.message, /permits neither sockets nor all ports$/);
    assert.match(
      error.hint.join('\n'),
      /AllowTcpForwarding.*PermitOpen.*\n.*restrict.*permitopen.*\nAllowStreamLocalForwarding/,
    );
  }
  assert.equal(both.hint.filter((line) => line.startsWith('This may be why: ')).length, 2);
});

test('with ports refused, what refuses sockets alone is named as well', async (t) => {
  if (!needs(t, 'netns')) return;
  const [unseen, seen] = await Promise.all([
    explain(t, { tcpPermitted: false }, { keys: 'permitopen="a:1" ssh-ed25519 AAAA x\n' }),
    explain(t, { tcpPermitted: false }, { sshd: 'PermitOpen a:1\nAllowStreamLocalForwarding no\n' }),
  ]);
  assert.match(unseen.message, /listed ports only$/);
  assert.ok(unseen.hint.includes('AllowStreamLocalForwarding no or remote would refuse sockets even then.'));
  assert.match(seen.message, /listed ports only$/);
  assert.deepEqual(seen.hint.slice(0, 2), [
    'This may be why: /etc/ssh/sshd_config:1: PermitOpen a:1',
    'This may be why: /etc/ssh/sshd_config:2: AllowStreamLocalForwarding no',
  ]);
});

test('where ports cannot be tried, all that shuts out sockets is named', async (t) => {
  if (!needs(t, 'netns')) return;
  const error = await explain(t, { tcpPermitted: undefined });
  assert.equal(error.code, 'socket-forwarding-prohibited');
  const hint = error.hint.join('\n');
  for (const word of ['AllowStreamLocalForwarding', 'AllowTcpForwarding', 'PermitOpen', 'restrict']) {
    assert.ok(hint.includes(word), word);
  }
});

test('ports that are refused decide it even where nobody could look', async (t) => {
  const rig = await startRig(t);
  const host = remote(rig, { shell: ['/bin/false'], tcpPermitted: false });
  const error = await explainSocketTrouble(host, { kind: 'unix', path: '/srv/app.sock' }, REFUSAL);
  assert.equal(error.code, 'forwarding-prohibited');
});
