import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUtf8 } from '../../../src/cli/output/marks.ts';

for (const [env, expected] of [
  [{ LANG: 'C.UTF-8' }, true],
  [{ LANG: 'de_CH.utf8' }, true],
  [{ LANG: 'C' }, false],
  [{}, false],
  [{ LANG: 'en_US.UTF-8', LC_ALL: 'C' }, false],
  [{ LANG: 'C', LC_CTYPE: 'en_US.UTF-8', LC_ALL: '' }, true],
] as const) {
  test(`with ${JSON.stringify(env)} the characters are ${expected ? '' : 'not '}UTF-8`, () => {
    assert.equal(isUtf8(env), expected);
  });
}
