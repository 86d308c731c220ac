import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { shellWord } from '../src/shell-word.ts';

const words = [
  'vps',
  '/srv/app.sock',
  'a b',
  '',
  "it's",
  '"x" $HOME `id` \\',
  '~/x',
  '*',
  '[h]:22',
  ';&|<>()#!',
  'ž🦊',
];

test('every word is one word for the shell, and stays what it was', () => {
  for (const word of words) {
    const printed = execFileSync('sh', ['-c', `printf '<%s>' ${shellWord(word)}`], { encoding: 'utf8' });
    assert.equal(printed, `<${word}>`);
  }
});

test('a word that needs no quotes gets none', () => {
  assert.equal(shellWord('deploy@vps:/srv/app-1.sock'), 'deploy@vps:/srv/app-1.sock');
});

test('control characters do not reach the terminal', () => {
  assert.doesNotMatch(shellWord('a\u001b[2J\nb'), /\p{Cc}/u);
});
