import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closest } from '../src/closest.ts';

const names = ['json', 'verbose', 'version', 'quiet', 'user'];

test('two swapped letters count as one mistake', () => {
  assert.equal(closest('jsno', names), 'json');
});

test('the nearest of several similar names is chosen', () => {
  assert.equal(closest('versoin', names), 'version');
  assert.equal(closest('verbosse', names), 'verbose');
});

test('a word that is like none has no suggestion', () => {
  assert.equal(closest('frobnicate', names), undefined);
  assert.equal(closest('', names), undefined);
});

test('a short word has to be nearer than a long one', () => {
  assert.equal(closest('usr', names), 'user');
  assert.equal(closest('us', names), undefined);
});
