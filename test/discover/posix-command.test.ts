import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { posixCommand } from '../../src/discover/posix-command.ts';
import { loginShells } from './remote.ts';

const SCRIPT = `
  for encoded in "$@"; do
    decoded=$(printf "%bx" "$encoded"); printf "<%s>" "\${decoded%x}";
  done;
  exit 7`;

test('the command is one line, which has nothing in it that shells disagree about', () => {
  const command = posixCommand(SCRIPT, "it's\n!", '$x\\');
  assert.match(command, /^exec sh -c '[^'!\n]+' sh '[\w\\./-]*' '[\w\\./-]*'$/);
});

test('arguments arrive whole and in order, and the status comes back, under every login shell', () => {
  const args = [
    '',
    ' ',
    "it's",
    '"$HOME" `id`',
    '\\\\n\\',
    '!!',
    'a\nb\n',
    '%s%%',
    '-n',
    '0123',
    'ž🦊',
    '\u001b\u007f',
    '*',
  ];
  for (const [shell = '', ...first] of loginShells()) {
    assert.throws(
      () => execFileSync(shell, [...first, '-c', posixCommand(SCRIPT, ...args)], { stdio: 'pipe' }),
      (error: { status: number; stdout: Buffer }) => {
        assert.equal(error.status, 7, shell);
        assert.equal(error.stdout.toString(), args.map((arg) => `<${arg}>`).join(''), shell);
        return true;
      },
    );
  }
});
