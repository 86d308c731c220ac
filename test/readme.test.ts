import assert from 'node:assert/strict';
import { test } from 'node:test';
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
