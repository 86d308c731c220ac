import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { help } from '../src/cli/help.ts';
import { fileShape } from '../src/config/profiles/profile.ts';
import { check } from '../src/config/profiles/shape.ts';
import { parseSpec } from '../src/parse-spec.ts';
import { blocks, readme } from './program/readme/text.ts';

test('every forward in the table of the README is understood', () => {
  const table = /## Forwards\n([^]*?)\n## /.exec(readme)?.[1] ?? '';
  const specs = [...table.matchAll(/^\| (`[^|]*`) *\|/gm)].flatMap(
    ([, cell]) => cell?.match(/[^`, ]+/g) ?? [],
  );
  assert.ok(specs.length >= 10, specs.join(' '));
  for (const spec of specs) parseSpec(spec);
});

test('the profiles in the README are understood', () => {
  const [example = ''] = blocks('json');
  check(fileShape, JSON.parse(example), { file: 'README.md', path: [] });
});

test('every flag that the README names is in --help', () => {
  const text = readme.replaceAll(/^(\$ (?:npm|curl|ssh)|.*`ssh -).*$/gm, '');
  const flags = new Set(text.match(/(?<=[\s`])--[a-z][a-z-]+(?=[\s`])/g));
  flags.delete('--unix-socket');
  flags.delete('--once');
  for (const flag of flags) assert.ok(help().includes(flag), flag);
});

/** Every program has them, we set them for others, or they are of SSH_ASKPASS's protocol. */
const NO_SETTINGS = /^(PATH|HOME|USER|LOGNAME|NAME|SSH_ASKPASS_PROMPT|TUNNEL_(URL|HOST|PORT|SOCKET))/;

/** Node.js reads them, for `hasColors`. */
const OF_NODE = ['NO_COLOR', 'FORCE_COLOR'];

test('the table of variables has those that the code reads, and no others', () => {
  const src = fileURLToPath(new URL('../src', import.meta.url));
  const read = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => namesOfVariables(readFileSync(join(src, name), 'utf8')))
    .filter((name) => !NO_SETTINGS.test(name));
  const [, table = ''] = /^\| variable [^]*?\n((?:\|.*\n)+)/m.exec(readme) ?? [];
  const listed = [...table.matchAll(/^\| (.*?) \|/gm)].flatMap(
    ([, cell]) => cell?.match(/[A-Z][A-Z_]+/g) ?? [],
  );
  assert.deepEqual(new Set(listed), new Set([...read, ...OF_NODE]));
});

function namesOfVariables(source: string): string[] {
  const single = source.matchAll(/\benv(?:\.|\[')([A-Z][A-Z_]+)/g);
  const named = source.matchAll(/'((?:TUNNEL|XDG|SSH)_[A-Z_]+)'|^ {2}(TUNNEL_[A-Z_]+): \{ flag/gm);
  const taken = source.matchAll(
    /\{ ([A-Z][A-Z_]+[^}]*) \}(?: = (?:process\.)?env\b|: Readonly<NodeJS\.ProcessEnv>)/g,
  );
  return [
    ...[...single, ...named].map(([, one, other]) => one ?? other ?? ''),
    ...[...taken].flatMap(([, names = '']) => names.match(/[A-Z][A-Z_]+/g) ?? []),
  ];
}
