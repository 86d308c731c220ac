import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { keepSpecs, knownSpecs, rememberSpecs, specCachePath } from '../../src/config/spec-cache.ts';

/** A state directory of the test's own. */
function stateDirectory(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'tunnel-specs-'));
  const before = process.env['TUNNEL_STATE_DIR'];
  process.env['TUNNEL_STATE_DIR'] = join(dir, 'state');
  t.after(() => {
    if (before === undefined) delete process.env['TUNNEL_STATE_DIR'];
    else process.env['TUNNEL_STATE_DIR'] = before;
    rmSync(dir, { recursive: true });
  });
  return join(dir, 'state');
}

test('what was kept is known again, privately and by the name of the session', (t) => {
  const state = stateDirectory(t);
  assert.deepEqual(knownSpecs('vps'), []);
  keepSpecs('vps', ['8081', '~/app/app.sock', '8081']);
  assert.deepEqual(knownSpecs('vps'), ['8081', '~/app/app.sock']);
  assert.deepEqual(knownSpecs('other'), []);
  keepSpecs('deploy@[::1]:22', ['1']);
  assert.equal(specCachePath('deploy@[::1]:22'), join(state, 'scan', 'deploy%40%5B%3A%3A1%5D%3A22.json'));
  assert.equal(statSync(specCachePath('vps')).mode & 0o777, 0o600);
  assert.equal(statSync(join(state, 'scan')).mode & 0o777, 0o700);
  assert.equal(readdirSync(join(state, 'scan')).length, 2, 'nothing temporary is left');
});

test('what was opened comes in front of what was known, and there is an end to it', (t) => {
  stateDirectory(t);
  keepSpecs('vps', ['1', '2']);
  rememberSpecs('vps', ['3', '2']);
  assert.deepEqual(knownSpecs('vps'), ['3', '2', '1']);
  keepSpecs(
    'vps',
    Array.from({ length: 1000 }, (_, index) => String(index + 1)),
  );
  assert.equal(knownSpecs('vps').length, 200);
});

test('a file that is damaged, too long or from elsewhere is as good as none, and nothing throws', (t) => {
  const state = stateDirectory(t);
  const path = specCachePath('vps');
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '{"version":2,"specs":["1"]}',
    '{"version":1,"specs":"1"}',
    `{"version":1,"specs":["${'x'.repeat(300_000)}"]}`,
  ]) {
    writeFileSync(path, text);
    assert.deepEqual(knownSpecs('vps'), [], text.slice(0, 40));
  }
  writeFileSync(path, '{"version":1,"specs":["1",2,null]}');
  assert.deepEqual(knownSpecs('vps'), ['1']);
  keepSpecs('x'.repeat(300), ['1']);
  rmSync(state, { recursive: true });
  writeFileSync(state, 'a file in the place of the directory');
  keepSpecs('vps', ['1']);
  rememberSpecs('vps', ['1']);
  assert.deepEqual(knownSpecs('vps'), []);
});
