import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArguments } from '../src/cli/arguments.ts';
import { help } from '../src/cli/help.ts';
import { fileShape } from '../src/config/profiles/profile.ts';
import { check } from '../src/config/profiles/shape.ts';
import { parseSpec } from '../src/parse-spec.ts';
import { needs } from './rig/requirements.ts';
import { startRig } from './rig/rig.ts';
import { echo } from './rig/servers.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(
    ([, body]) => body ?? '',
  );
}

/** Splits as a shell would; the README needs no quotes but single ones. */
function words(line: string): string[] {
  return (line.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ''));
}

test('every command line in the README is understood', async () => {
  const commands = blocks('console').flatMap((block) =>
    block.split('\n').filter((line) => line.startsWith('$ tunnel ')),
  );
  assert.ok(commands.length >= 5);
  for (const command of commands) await parseArguments(words(command).slice(2));
});

test('CI installs as the README says', () => {
  const lines = blocks('console').flatMap((block) => block.match(/(?<=^\$ ).*npm install.*$/gm) ?? []);
  assert.equal(lines.length, 1);
  const ci = readFileSync(join(root, '.ci/run'), 'utf8').split('\n');
  for (const line of lines) assert.ok(ci.includes(`${line} --prefix "$installed"`), line);
});

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
  for (const flag of flags) assert.ok(help.includes(flag), flag);
});

test('the example of the library runs as it stands', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const { port } = await rig.serve(echo);
  const example = blocks('ts')[0] ?? '';
  const script = example
    .replace("'tunnel-vps'", JSON.stringify(pathToFileURL(join(root, 'dist/index.js')).href))
    // The person's own ~/.ssh/config is not the test's, and 8081 may be in use here.
    .replace(
      "parseDestination('vps'),",
      (line) => `${line} flags: { configFile: '${sshd.client.configFile}' },`,
    )
    .replace("'8081'", `'auto:${port}'`);
  assert.ok(script.includes('configFile') && script.includes('auto:'));
  const file = join(rig.dir, 'example.mjs');
  writeFileSync(file, script);
  const result = await rig.run([process.execPath, file]);
  assert.equal(result.status, 0, result.stderr);
  assert.match(result.stdout, /host: '127\.0\.0\.1'.*port: \d+/);
});
