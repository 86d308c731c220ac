import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cut } from '../../../src/cli/output/cut.ts';

test('text that is too long ends in an ellipsis, within the columns', () => {
  assert.equal(cut('0123456789', 10), '0123456789');
  assert.equal(cut('0123456789', 9), '01234567…');
  assert.equal(cut('0123456789', 1), '…');
  assert.equal(cut('0123456789', 0), '');
  assert.equal(cut('0123456789', -1), '');
});
