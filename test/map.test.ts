import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const map = readFileSync(join(root, 'src/README.md'), 'utf8');

/** A path as the map has it: from src, or from the repository. */
function place(path: string): string {
  return join(root, path.startsWith('test/') ? '' : 'src', path);
}

test('every file and folder that the map of the code names is there', () => {
  const paths = [...map.matchAll(/`([\w./-]+(?:\.ts|\/))`/g)].map(([, path = '']) => path);
  assert.ok(paths.length > 50, `${paths.length} paths`);
  for (const path of paths) {
    const inRoom = ['ssh2/', 'openssh/'].includes(path) ? `ssh/${path}` : path;
    assert.ok(existsSync(place(inRoom)), path);
  }
});

test('every name that the map gives with a file is in that file', () => {
  const named = [...map.matchAll(/`(\w+)`\s+\(`([\w./-]+\.ts)`\)/g)];
  assert.ok(named.length > 20, `${named.length} names`);
  for (const [, name = '', path = ''] of named) {
    const source = readFileSync(place(path), 'utf8');
    const declaration = new RegExp(`\\b(?:class|function|const|interface)\\*? ${name}\\b`);
    assert.match(source, declaration, `${name} in ${path}`);
  }
  for (const [name, path] of [
    ['RECONNECT', 'session/session.ts'],
    ['waitMs', 'session/state.ts'],
  ] as const) {
    assert.ok(readFileSync(place(path), 'utf8').includes(name), name);
  }
});

test('every test file that the list of promises names is there', () => {
  const list = readFileSync(join(root, 'test/README.md'), 'utf8');
  const paths = [...list.matchAll(/`([\w./-]+(?:\.test\.ts|\/))`/g)].map(([, path = '']) => path);
  assert.ok(paths.length > 40, `${paths.length} paths`);
  for (const path of paths) assert.ok(existsSync(join(root, 'test', path)), path);
});
