import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { test } from 'node:test';
import { ConnectError } from '../../src/errors.ts';
import { appendKnownHost } from '../../src/ssh/known-hosts-append.ts';
import { needs } from '../rig/requirements.ts';
import { ed25519, folder, load, text } from './known-hosts-samples.ts';

const VPS = { name: '[vps]:2222' };
const plain = { hash: false };
const hashed = { hash: true };

function mode(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

test('the directory and the file are made for their owner alone when they are missing', async (t) => {
  const dir = folder(t);
  const file = dir.path('.ssh/known_hosts');
  const key = ed25519();
  await appendKnownHost(file, VPS, key, plain);
  assert.equal(readFileSync(file, 'utf8'), `[vps]:2222 ${text(key)}\n`);
  assert.equal(mode(dir.path('.ssh')), '700');
  assert.equal(mode(file), '600');
});

test('a line is added to what is there, whose mode stays', async (t) => {
  const dir = folder(t);
  const before = '# mine\r\nodd line\n';
  const file = dir.file('known_hosts', before);
  chmodSync(file, 0o644);
  const key = ed25519();
  await appendKnownHost(file, VPS, key, plain);
  assert.equal(readFileSync(file, 'utf8'), `${before}[vps]:2222 ${text(key)}\n`);
  assert.equal(mode(file), '644');
});

test('a last line without its end gets one first', async (t) => {
  const dir = folder(t);
  const [one, two] = [ed25519(), ed25519()];
  const file = dir.file('known_hosts', `one ${text(one)}`);
  await appendKnownHost(file, { name: 'two' }, two, plain);
  assert.equal(readFileSync(file, 'utf8'), `one ${text(one)}\ntwo ${text(two)}\n`);
});

test('a hashed line does not tell the name, has a salt of its own, and is found by us and by OpenSSH', async (t) => {
  const dir = folder(t);
  const file = dir.path('known_hosts');
  const key = ed25519();
  await appendKnownHost(file, VPS, key, hashed);
  await appendKnownHost(file, VPS, key, hashed);
  const content = readFileSync(file, 'utf8');
  assert.doesNotMatch(content, /vps|2222/);
  assert.equal(new Set(content.trim().split('\n')).size, 2);
  const { hosts } = await load(file);
  assert.deepEqual(hosts.verdict(VPS, key), { kind: 'known', file, line: 1 });
  if (!needs(t, 'ssh')) return;
  const found = execFileSync('ssh-keygen', ['-F', '[vps]:2222', '-f', file], { encoding: 'utf8' });
  assert.match(found, /found: line 1[^]*found: line 2/);
});

test('many at once each leave their whole line', async (t) => {
  const dir = folder(t);
  const file = dir.path('.ssh/known_hosts');
  const names = Array.from({ length: 50 }, (_, index) => `host-${index}`);
  const key = ed25519();
  await Promise.all(names.map((name) => appendKnownHost(file, { name }, key, plain)));
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  assert.deepEqual(lines.toSorted(), names.map((name) => `${name} ${text(key)}`).toSorted());
});

test('a symbolic link is followed, also to a file that is not there yet', async (t) => {
  const dir = folder(t);
  symlinkSync(dir.path('elsewhere'), dir.path('known_hosts'));
  await appendKnownHost(dir.path('known_hosts'), VPS, ed25519(), plain);
  assert.match(readFileSync(dir.path('elsewhere'), 'utf8'), /^\[vps\]:2222 /);
});

test('/dev/null, with which people switch known_hosts off, takes a line', async () => {
  await appendKnownHost('/dev/null', VPS, ed25519(), plain);
});

test('a file that cannot be written is an error that names it, the host and the reason', async (t) => {
  const dir = folder(t);
  mkdirSync(dir.path('directory'));
  const cases = [
    [dir.path('directory'), /EISDIR/],
    [dir.path('missing/.ssh/known_hosts'), /ENOENT/],
    [`${dir.file('file', '')}/known_hosts`, /ENOTDIR/],
    ...(existsSync('/dev/full') ? [['/dev/full', /ENOSPC/] as const] : []),
  ] as const;
  for (const [file, why] of cases) {
    await assert.rejects(appendKnownHost(file, VPS, ed25519(), plain), (error) => {
      assert.ok(error instanceof ConnectError);
      assert.equal(error.code, 'known-hosts-write');
      assert.ok(error.message.includes(file));
      assert.ok(error.message.includes('[vps]:2222'));
      assert.match(error.message, why);
      assert.notDeepEqual(error.hint, []);
      return true;
    });
  }
});

test('a name that would be read back as something else is not written', async (t) => {
  const dir = folder(t);
  const file = dir.path('known_hosts');
  for (const name of ['', '*', 'a,b', '!vps', '@revoked', '#vps', '|1|x', 'a b', 'vps\nother', 'vps\u0000']) {
    await assert.rejects(appendKnownHost(file, { name }, ed25519(), plain), { code: 'known-hosts-name' });
  }
  assert.equal(existsSync(file), false);
});
