import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  configDirectory,
  makePrivateDirectory,
  runtimeDirectory,
  stateDirectory,
} from '../../src/config/directories.ts';
import { makeTempDir } from '../rig/temp-dir.ts';

function tempDir(t: TestContext): string {
  const dir = makeTempDir();
  t.after(() => dir.remove());
  return dir.path;
}

test('each place has a variable of its own, else XDG’s, else one below the home', () => {
  const own = { TUNNEL_CONFIG_DIR: '/a', TUNNEL_STATE_DIR: '/b', TUNNEL_RUNTIME_DIR: '/c' };
  const xdg = { XDG_CONFIG_HOME: '/d', XDG_STATE_HOME: '/e', XDG_RUNTIME_DIR: '/f' };
  const places = (env: NodeJS.ProcessEnv) => [
    configDirectory(env),
    stateDirectory(env),
    runtimeDirectory(env),
  ];
  assert.deepEqual(places({ ...own, ...xdg }), ['/a', '/b', '/c']);
  assert.deepEqual(places(xdg), ['/d/tunnel', '/e/tunnel', '/f/tunnel']);
  assert.match(
    places({}).join(' '),
    /\.config\/tunnel .*\.local\/state\/tunnel .*\.local\/state\/tunnel\/run$/,
  );
  assert.equal(runtimeDirectory({ TUNNEL_STATE_DIR: '/b' }), '/b/run');
});

test('a directory that is missing is made, with those above it, for the user alone', (t) => {
  const path = join(tempDir(t), 'one', 'two');
  makePrivateDirectory(path);
  assert.equal(statSync(path).mode & 0o777, 0o700);
});

test('what is not a directory of the user alone is refused, and left as it is', (t) => {
  const dir = tempDir(t);
  const wide = join(dir, 'wide');
  mkdirSync(wide);
  chmodSync(wide, 0o750);
  const file = join(dir, 'file');
  writeFileSync(file, '');
  const link = join(dir, 'link');
  mkdirSync(join(dir, 'elsewhere'), { mode: 0o700 });
  symlinkSync(join(dir, 'elsewhere'), link);
  for (const [path, said] of [
    [wide, /others may enter it: its mode is 750/],
    [file, /cannot be (made|used)/],
    [join(file, 'below'), /cannot be made/],
    [link, /it is not a directory/],
  ] as const) {
    assert.throws(
      () => makePrivateDirectory(path),
      (error: { code: string; message: string; exitStatus: number }) => {
        assert.equal(error.code, 'unsafe-directory');
        assert.equal(error.exitStatus, 2);
        assert.match(error.message, said);
        return true;
      },
    );
  }
  assert.equal(statSync(wide).mode & 0o777, 0o750);
  assert.ok(existsSync(file));
});
