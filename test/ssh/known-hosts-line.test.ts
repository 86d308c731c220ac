import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { matchesHosts, parseKnownHosts } from '../../src/ssh/known-hosts-line.ts';
import { needs } from '../rig/requirements.ts';
import { ed25519, folder, rsa, text, type Folder } from './known-hosts-samples.ts';

const KEY = text(ed25519());

/** The lines of a file that are about `name`, as `3`, `4 CA` or `5 REVOKED`: ours, and those of ssh-keygen. */
function linesAbout(dir: Folder, name: string, content: string): { ours: string[]; theirs: string[] } {
  const file = dir.file('known_hosts', content);
  const labels = { none: '', 'cert-authority': ' CA', revoked: ' REVOKED' };
  const ours = parseKnownHosts(file, content, () => undefined)
    .filter(({ hosts }) => matchesHosts(hosts, name))
    .map(({ line, marker }) => `${line}${labels[marker]}`);
  return { ours, theirs: keygenLines(file, name) };
}

/** With -l ssh-keygen reads the keys too, as ssh does; it ends with 1 when no line is found. */
function keygenLines(file: string, name: string): string[] {
  let found: string;
  try {
    const options = { encoding: 'utf8', stdio: 'pipe', maxBuffer: 64 * 1024 * 1024 } as const;
    found = execFileSync('ssh-keygen', ['-l', '-F', name, '-f', file], options);
  } catch (error) {
    const { status, stdout } = error as { status: number; stdout: string };
    assert.equal(status, 1);
    found = stdout;
  }
  return [...found.matchAll(/^# Host .* found: line (\d+ ?\w*)\s*$/gm)].map(([, line = '']) => line.trim());
}

/** Every string of up to `length` of these characters, but the empty one. */
function strings(characters: string, length: number): string[] {
  if (length === 0) return [];
  const shorter = strings(characters, length - 1);
  return characters.split('').flatMap((first) => [first, ...shorter.map((rest) => first + rest)]);
}

test('every list of patterns of up to five characters means what it means to OpenSSH', (t) => {
  if (!needs(t, 'ssh')) return;
  const dir = folder(t);
  const content = strings('aB*?!,', 5)
    .map((hosts) => `${hosts} ${KEY}\n`)
    .join('');
  for (const name of ['a', 'b', 'ab', 'aab', 'bab', 'c']) {
    const { ours, theirs } = linesAbout(dir, name, content);
    assert.ok(theirs.length > 100);
    assert.deepEqual(ours, theirs, name);
  }
});

const ODD_LINES = [
  '',
  '# vps is a comment',
  '   \t# vps is a comment',
  `vps ${KEY}`,
  `  \t vps\t\t${KEY.replace(' ', '\t')}\tcomment with words`,
  `vps ${KEY}\r`,
  `vps ${KEY} comment\r`,
  '\r',
  `vps,other ${KEY}`,
  `other,VPS ${KEY}`,
  `vps ${text(rsa())}`,
  `vps ${text(rsa()).replace('ssh-rsa', 'rsa-sha2-256')}`,
  `vps ${KEY.slice(0, -8)}`,
  `vps ${KEY}AAAA`,
  `vps ${KEY.replace('ssh-ed25519', 'ssh-rsa')}`,
  `vps ${KEY.replace('ssh-ed25519', 'ssh-unheard-of')}`,
  'vps',
  'vps ',
  'vps ssh-ed25519',
  'vps ssh-ed25519 ',
  'vps # ssh-ed25519 AAAA',
  `vps 1024 37 1234567890`,
  `vps ${KEY}\0 junk`,
  `vps ${KEY.slice(0, -8)}\0${KEY.slice(-8)}`,
  `\0vps ${KEY}`,
  `vps ${KEY}\rjunk`,
  `vps ${KEY}\r junk`,
  `vps ${KEY.slice(0, -8)}\r${KEY.slice(-8)}`,
  `vps ${KEY.slice(0, -8)}\v\f${KEY.slice(-8)}\r\r`,
  `vps\r ${KEY}`,
  `vps ${KEY.replace(' ', '\r ')}`,
  `@revoked vps ${KEY}`,
  `@revoked  \t vps ${KEY}`,
  `@cert-authority *,!other ${KEY}`,
  `@revoked @revoked vps ${KEY}`,
  `@REVOKED vps ${KEY}`,
  `@unheard-of vps ${KEY}`,
  `@ vps ${KEY}`,
  '@revoked',
  `[vps]:2222 ${KEY}`,
  `[vps]:22 ${KEY}`,
  `[v*]:* ${KEY}`,
  `* ${KEY}`,
  `*,!vps ${KEY}`,
  `!vps ${KEY}`,
  `?p? ${KEY}`,
  `${'x'.repeat(1021)},vps ${KEY}`,
  `${'x'.repeat(1022)},vps ${KEY}`,
  `${'x'.repeat(1023)},vps ${KEY}`,
  `${'x,'.repeat(100_000)}vps ${KEY}`,
  `vps ${KEY} ${'long comment '.repeat(10_000)}`,
  `2001:db8::1,[2001:db8::1]:2222 ${KEY}`,
  `|1|AAAA|BBBB ${KEY}`,
  `|2|x ${KEY}`,
  `| ${KEY}`,
  `vps ${KEY}`,
];

test('odd lines are read as OpenSSH reads them: blanks, CRLF, markers, broken keys, long patterns', (t) => {
  if (!needs(t, 'ssh')) return;
  const dir = folder(t);
  for (const name of [
    'vps',
    '[vps]:2222',
    '[vps]:22',
    'other',
    '2001:db8::1',
    '[2001:db8::1]:2222',
    '|',
    'zzz',
  ]) {
    const { ours, theirs } = linesAbout(dir, name, ODD_LINES.join('\n'));
    assert.deepEqual(ours, theirs, name);
    assert.notDeepEqual(ours, [], name);
  }
});

test('names that ssh-keygen has hashed are found, and no others', (t) => {
  if (!needs(t, 'ssh')) return;
  const dir = folder(t);
  const names = ['vps', '[vps]:2222', '2001:db8::1', '[10.0.0.1]:22022', 'other'];
  const file = dir.file('known_hosts', names.map((name) => `${name} ${KEY}\n`).join(''));
  execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'pipe' });
  const content = execFileSync('cat', [file], { encoding: 'utf8' });
  assert.doesNotMatch(content, /vps/);
  for (const [index, name] of names.entries()) {
    const { ours, theirs } = linesAbout(dir, name, content);
    assert.deepEqual(ours, [`${index + 1}`]);
    assert.deepEqual(theirs, ours);
  }
  assert.deepEqual(linesAbout(dir, '[vps]:2223', content), { ours: [], theirs: [] });
});

test('a @revoked followed by a tab counts, though ssh overlooks it', () => {
  const [known] = parseKnownHosts('f', `@revoked\tvps ${KEY}`, () => assert.fail());
  assert.equal(known?.marker, 'revoked');
});

test('a byte order mark is a part of the first name, as it is for ssh, but hides no @revoked', (t) => {
  if (!needs(t, 'ssh')) return;
  assert.deepEqual(linesAbout(folder(t), 'vps', `\uFEFFvps ${KEY}\nvps ${KEY}`), {
    ours: ['2'],
    theirs: ['2'],
  });
  const [known] = parseKnownHosts('f', `\uFEFF@revoked vps ${KEY}`, () => assert.fail());
  assert.equal(known?.marker, 'revoked');
});

test('a pattern made to be slow is matched at once', () => {
  assert.equal(matchesHosts('*a'.repeat(200), 'a'.repeat(250)), true);
  assert.equal(matchesHosts(`${'*a'.repeat(200)}b`, 'a'.repeat(250)), false);
});
