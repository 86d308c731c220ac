import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Whether `npm run check`'s linter lets a file in this place import this; `dynamic` is how it does so. */
async function isAllowed(file: string, imported: string, dynamic = false): Promise<boolean> {
  const dir = mkdtempSync(join(tmpdir(), 'tunnel-layers-'));
  try {
    copyFileSync(join(root, '.oxlintrc.json'), join(dir, '.oxlintrc.json'));
    const path = join(dir, 'src', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(
      path,
      dynamic ? `await import('${imported}');\n` : `export { default } from '${imported}';\n`,
    );
    return await new Promise((resolve, reject) => {
      execFile(
        join(root, 'node_modules/.bin/oxlint'),
        ['-c', '.oxlintrc.json', 'src'],
        { cwd: dir },
        (error, out) => {
          if (error !== null && !out.includes('no-restricted-imports'))
            reject(new Error(out, { cause: error }));
          else resolve(error === null);
        },
      );
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const forbidden: [string, string][] = [
  ['endpoint.ts', './config/settings.ts'],
  ['new.ts', './config/settings.ts'],
  ['new.ts', './index.ts'],
  ['new.ts', 'ssh2'],
  ['new.ts', 'node:module'],
  ['cli/x.ts', '../index.ts'],
  ['ssh/ssh2/x.ts', '../../index.ts'],
  ['session/x.ts', '../index.ts'],
  ['session/x.ts', 'node:module'],
  ['forward/x.ts', 'module'],
  ['forward/x.ts', 'ssh2/lib/client.js'],
  ['index.ts', 'ssh2'],
  ['config/x.ts', '../ssh/connection.ts'],
  ['ssh/x.ts', '../session/session.ts'],
  ['ssh/ssh2/x.ts', '../../discover/excerpt.ts'],
  ['wireguard/x.ts', '../session/session.ts'],
  ['wireguard/x.ts', '../forward/local-dialer.ts'],
  ['wireguard/x.ts', '../ssh/connection.ts'],
  ['forward/x.ts', '../ssh/connection.ts'],
  ['forward/socks/x.ts', '../../ssh/connection.ts'],
  ['proxy/x.ts', '../wireguard/x.ts'],
  ['discover/x.ts', '../session/session.ts'],
  ['session/x.ts', '../cli/main.ts'],
  ['session/x.ts', 'ssh2'],
  ['forward/x.ts', 'ssh2'],
  ['cli/x.ts', 'ssh2'],
];
for (const [file, imported] of forbidden) {
  test(`src/${file} may not import ${imported}`, async () => {
    assert.equal(await isAllowed(file, imported), false);
    assert.equal(await isAllowed(file, imported, true), false, 'not when it runs either');
  });
}

const allowed: [string, string][] = [
  ['ssh/ssh2/x.ts', 'ssh2'],
  ['ssh/ssh2/x.ts', 'node:module'],
  ['new.ts', './endpoint.ts'],
  ['index.ts', './session/session.ts'],
  ['wireguard/x.ts', '../config/settings.ts'],
  ['forward/x.ts', '../endpoint.ts'],
  ['session/x.ts', '../ssh/connection.ts'],
  ['cli/x.ts', '../session/session.ts'],
];
for (const [file, imported] of allowed) {
  test(`src/${file} may import ${imported}`, async () => {
    assert.equal(await isAllowed(file, imported), true);
  });
}

test('every folder of src is in a layer', () => {
  const { overrides } = JSON.parse(readFileSync(join(root, '.oxlintrc.json'), 'utf8')) as {
    overrides: readonly { files: readonly string[] }[];
  };
  const layered = overrides.flatMap(({ files }) => files);
  const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  for (const { name } of folders) assert.ok(layered.includes(`src/${name}/**`), name);
});
