import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printable } from '../src/printable.ts';

test('escape sequences of the other side are made harmless', () => {
  assert.equal(
    printable('\u001B]0;title\u0007 \u001B[2Jgone \u009B1m'),
    '\uFFFD]0;title\uFFFD \uFFFD[2Jgone \uFFFD1m',
  );
});

test('marks that would turn the reading direction around are taken out', () => {
  assert.equal(printable('abc\u202Etxt.exe'), 'abc\uFFFDtxt.exe');
});

test('a line break does not start a line of its own', () => {
  assert.equal(printable('denied\r\n  ✖ forged'), 'denied ✖ forged');
});

test('text in any script stays as it is', () => {
  assert.equal(printable('Zugriff verweigert: größe ▲ 日本'), 'Zugriff verweigert: größe ▲ 日本');
});
