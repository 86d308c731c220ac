import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { API, opens, WEB } from './checks.ts';
import { blocks, readme } from './text.ts';
import type { World } from './world.ts';

/** What is in the README besides the lines that are typed, used as it stands there. */
export const examples: readonly (readonly [title: string, use: (world: World) => Promise<void>])[] = [
  ['the profiles', useProfiles],
  ["the project's file", useProject],
  ['the library', useLibrary],
];

async function useProfiles(world: World): Promise<void> {
  const [profiles = ''] = blocks('json');
  world.write('.config/tunnel/profiles.json', profiles);
  const overSocks = [
    'http://web.internal:5000/hello',
    /five thousand/,
    '--proxy',
    'socks5h://[::1]:1080',
  ] as const;
  await opens(WEB, API, overSocks)(world, 'tunnel work');
  const all = await world.type('tunnel all');
  await world.answers(...WEB);
  await world.answers('http://localhost:5432/', /from the database/);
  const stop = await world.run('tunnel', 'stop', 'all');
  assert.equal(stop.status, 0, stop.stderr);
  assert.equal((await all.exit).status, 0, all.screen);
}

async function useProject(world: World): Promise<void> {
  const [file = ''] = /(?<=`)\{ "forwards".*?\}(?=`)/.exec(readme) ?? [];
  world.write('project/tunnel.json', file);
  const terminal = await world.type('tunnel vps');
  await terminal.waitFor(/\(yes\/no\)\?/);
  terminal.write('yes\r');
  for (const page of [WEB, API]) await world.answers(...page);
  terminal.write('\x03');
  assert.equal((await terminal.exit).status, 130, terminal.screen);
}

async function useLibrary(world: World): Promise<void> {
  const [example = ''] = blocks('ts');
  await world.run('mkdir', 'node_modules');
  symlinkSync(
    fileURLToPath(new URL('../../..', import.meta.url)),
    join(world.project, 'node_modules/tunnel-vps'),
  );
  world.write('project/example.mjs', example);
  const { status, stdout, stderr } = await world.run('node', 'example.mjs');
  assert.equal(status, 0, stderr);
  assert.match(stdout, /host: '127\.0\.0\.1'.*port: \d+[^]*host: '::1'/);
}
