import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fold } from '../../../src/cli/output/fold.ts';

test('pieces stand on one line where they fit, colours not counted', () => {
  assert.equal(
    fold(['one', '\u001b[31mtwo\u001b[39m', ' three'], 14, '  '),
    'one \u001b[31mtwo\u001b[39m  three',
  );
});

test('a piece that does not fit begins an indented line, and is whole however long it is', () => {
  assert.equal(fold(['one', 'two', ' three'], 12, '  '), 'one two\n  three');
  assert.equal(fold(['http://localhost:8081', '→ there'], 10, '  '), 'http://localhost:8081\n  → there');
});
