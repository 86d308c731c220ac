import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandFlags } from '../../src/cli/expand-flags.ts';
import { flags } from '../../src/cli/flags.ts';
import { help } from '../../src/cli/help.ts';
import { UsageError } from '../../src/errors.ts';

const read: [line: string, expected: string][] = [
  ['-p 2222', '--port=2222'],
  ['-p2222', '--port=2222'],
  ['-oPort=22', '--option=Port=22'],
  ['-L8081:localhost:80', '--forward=8081:localhost:80'],
  ['-vvN', '--verbose=true --verbose=true --no-command=true'],
  ['-Cp22 vps', '--compress=true --port=22 vps'],
  ['-NCi key vps', '--no-command=true --compress=true --identity=key vps'],
  ['-4 -6', '--ipv4=true --ipv6=true'],
  ['-i -key', '--identity=-key'],
  ['vps --json true', 'vps --json=true true'],
  ['--port 22 --port=23', '--port=22 --port=23'],
  ['--option=User=x', '--option=User=x'],
  ['-p 22 -- -p --json', '--port=22 -- -p --json'],
  ['- vps', '- vps'],
  ['--caddyfile vps', '--caddyfile=./Caddyfile vps'],
  ['--caddyfile 8081 vps', '--caddyfile=./Caddyfile 8081 vps'],
  ['--caddyfile -d', '--caddyfile=./Caddyfile --detach=true'],
  ['--caddyfile', '--caddyfile=./Caddyfile'],
  ['--caddyfile dev.Caddyfile vps', '--caddyfile=dev.Caddyfile vps'],
  ['--caddyfile /nope vps', '--caddyfile=/nope vps'],
  ['--caddyfile conf/dev vps', '--caddyfile=conf/dev vps'],
  ['--caddyfile package.json vps', '--caddyfile=package.json vps'],
  ['--caddyfile /srv/app.sock vps', '--caddyfile=./Caddyfile /srv/app.sock vps'],
  ['--caddyfile /run/.s.PGSQL.5432 vps', '--caddyfile=./Caddyfile /run/.s.PGSQL.5432 vps'],
  ['--caddyfile ./a.sock:/srv/a vps', '--caddyfile=./Caddyfile ./a.sock:/srv/a vps'],
  ['--caddyfile ssh://vps', '--caddyfile=./Caddyfile ssh://vps'],
  ['--caddyfile=other vps', '--caddyfile=other vps'],
];

for (const [line, expected] of read) {
  test(`"${line}" is read as ssh's getopt reads it`, () => {
    assert.deepEqual(expandFlags(line.split(' ')), expected.split(' '));
  });
}

const refused: [line: string, code: string, message: RegExp][] = [
  ['-z', 'unknown-flag', /^Unknown flag -z$/],
  ['-Nz', 'unknown-flag', /^Unknown flag -z in -Nz$/],
  ['-é', 'unknown-flag', /-é/],
  ['-constructor', 'unsupported-flag', /-c in -constructor/],
  ['-A', 'unsupported-flag', /^Flag -A of ssh is not supported$/],
  ['-NT', 'unsupported-flag', /-T in -NT/],
  ['--no-json', 'unknown-flag', /--no-json/],
  ['--constructor', 'unknown-flag', /--constructor/],
  ['--json=yes', 'unexpected-value', /--json .*"yes"/],
  ['--json=', 'unexpected-value', /--json /],
  ['-p', 'missing-value', /-p /],
  ['-Np', 'missing-value', /-p /],
  ['--port=', 'missing-value', /--port /],
  ['---json', 'unknown-flag', /---json/],
];

for (const [line, code, message] of refused) {
  test(`"${line}" is refused by name`, () => {
    assert.throws(
      () => expandFlags(line.split(' ')),
      (error) => error instanceof UsageError && error.code === code && message.test(error.message),
    );
  });
}

test('an empty value is refused, joined or apart', () => {
  assert.throws(() => expandFlags(['-i', '', 'vps']), { code: 'missing-value' });
  assert.throws(() => expandFlags(['--identity', '']), { code: 'missing-value' });
});

test('a mistyped flag is answered with the one that was meant', () => {
  assert.throws(() => expandFlags(['--jsno']), { hint: ['Did you mean --json?'] });
  assert.throws(() => expandFlags(['--verbos']), { hint: ['Did you mean --verbose?'] });
  assert.throws(() => expandFlags(['--frobnicate']), { hint: ['tunnel --help lists every flag.'] });
});

for (const [name, flag] of Object.entries(flags)) {
  test(`--${name} is in the help`, () => {
    const entry = 'alias' in flag ? `-${flag.alias}, --${name}` : `--${name}`;
    assert.ok(help().includes(entry), entry);
  });
}
