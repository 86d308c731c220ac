import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { cleanPath, decodePath, matchesPath, stripPrefix } from '../../src/proxy/path.ts';

const matching: [pattern: string, path: string, matches: boolean][] = [
  ['/api/*', '/api/', true],
  ['/api/*', '/api/x', true],
  ['/api/*', '/api', false],
  ['/api/*', '/apix', false],
  ['/api*', '/api', true],
  ['/api*', '/apix/y', true],
  ['/api', '/api', true],
  ['/api', '/api/', false],
  ['/api', '/API', true],
  ['/api/*', '/%61pi/x', true],
  ['/api/*', '//api//x', true],
  ['/api/*', '/x/../api/y', true],
  ['/api/*', '/api/../x', false],
  ['/api/*', '/api/%2e%2e/x', false],
  ['/api//x', '/api/x', false],
  ['/api//x', '/api//x', true],
  ['*.php', '/a/b.PHP', true],
  ['*.php', '/a/b.php/c', false],
  ['*mid*', '/a/midst', true],
  ['/a/*/c', '/a/b/c', true],
  ['/a/*/c', '/a/b/b/c', false],
  ['/a%2Fb', '/a%2Fb', true],
  ['/a%2Fb', '/a/b', false],
  ['/a/b', '/a%2Fb', true],
  ['/ü', '/%C3%BC', true],
  ['/a.b', '/axb', false],
  ['*', '/anything', true],
  ['/x', '/%zz', false],
];
for (const [pattern, path, matches] of matching) {
  test(`${pattern} ${matches ? 'matches' : 'does not match'} ${path}`, () => {
    assert.equal(matchesPath(pattern, path), matches);
  });
}

const stripped: [path: string, prefix: string, rest: string, stripped: boolean][] = [
  ['/api/x', '/api', '/x', true],
  ['/api', '/api', '', true],
  ['/API/x%2Fy', '/api', '/x%2Fy', true],
  ['/%61pi/x', '/api', '/x', true],
  ['/api//x/../y', '/api', '/y', true],
  ['/other/./x', '/api', '/other/x', false],
  ['/%C3%BC/x', '/ü', '/x', true],
];
for (const [path, prefix, rest, isStripped] of stripped) {
  test(`without ${prefix} the path ${path} is ${rest || 'empty'}`, () => {
    assert.deepEqual(stripPrefix(path, prefix), { path: rest, stripped: isStripped });
  });
}

test('a clean path leads nowhere above, and is clean', () => {
  const part = fc.constantFrom('', '.', '..', 'a', '...', '%2e', 'b.c');
  const path = fc.array(part, { maxLength: 12 }).map((parts) => `/${parts.join('/')}`);
  fc.assert(
    fc.property(path, fc.boolean(), (one, merge) => {
      const clean = cleanPath(one, merge);
      assert.ok(clean.startsWith('/'));
      assert.ok(clean.split('/').every((segment) => segment !== '.' && segment !== '..'));
      assert.ok(!merge || !clean.includes('//'));
      assert.equal(cleanPath(clean, merge), clean);
    }),
  );
});

test('decoding is done once, and byte by byte', () => {
  assert.equal(decodePath('/%2541'), '/%41');
  assert.equal(decodePath('/%C3%BC'), '/\u00C3\u00BC');
  assert.equal(decodePath('/%4'), undefined);
});
