import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseArguments } from '../../src/cli/arguments.ts';
import { commandTable } from '../../src/cli/command-table.ts';
import { placeAfter } from '../../src/cli/completion/usage.ts';
import { flags } from '../../src/cli/flags.ts';
import { help } from '../../src/cli/help.ts';
import { helpOn } from '../../src/cli/help/command-help.ts';
import { shownCommands, usageLines } from '../../src/cli/help/lists.ts';
import { manPage } from '../../src/cli/help/man-page.ts';
import { topicNames } from '../../src/cli/help/topic-names.ts';
import { parseDynamicSpec, parseRemoteSpec, parseSpec } from '../../src/parse-spec.ts';
import { needs } from '../rig/requirements.ts';
import { makeTempDir } from '../rig/temp-dir.ts';

const root = join(import.meta.dirname, '../..');
const kinds = ['HOST', 'SPEC', 'NAME', 'PROFILE', 'TOPIC', 'SHELL', 'FILE', 'NEW', 'COMMAND'];

for (const [name, entry] of shownCommands()) {
  test(`tunnel ${name} is in --help with each way to write it, and has a help of its own with its flags`, async () => {
    for (const line of usageLines(name, entry)) assert.ok(help.includes(line), line);
    const own = helpOn(name);
    for (const flag of entry.flags) assert.ok(own.includes(`--${flag}`), flag);
    for (const line of own.split('\n')) assert.ok(line.length <= 100, line);
    assert.deepEqual(await parseArguments(['help', name]), { name: 'help', topic: name });
    assert.deepEqual(await parseArguments([name, '--help']), { name: 'help', topic: name });
  });

  test(`what follows tunnel ${name} is something that completion knows`, () => {
    const words = entry.usage.flatMap((line) => line.match(/[A-Z]{2,}/g) ?? []);
    for (const word of words) assert.ok(kinds.includes(word), word);
    assert.ok(entry.usage.every((line) => line === '' || placeAfter([line], []) !== undefined));
  });
}

for (const topic of topicNames) {
  test(`tunnel help ${topic} fits 100 columns`, () => {
    const text = helpOn(topic);
    assert.ok(text.split('\n').length > 5);
    for (const line of text.split('\n')) assert.ok(line.length <= 100, line);
  });
}

test('every forward of tunnel help forwards is understood', () => {
  const specs = [...helpOn('forwards').matchAll(/^ {2}(-[RD] )?(\S+) {2,}/gm)];
  assert.ok(specs.length >= 14);
  for (const [, letter, spec = ''] of specs) {
    if (letter === undefined) parseSpec(spec);
    else if (letter === '-R ') parseRemoteSpec(spec);
    else parseDynamicSpec(spec);
  }
});

test('a topic that is not there is refused with the nearest one', async () => {
  await assert.rejects(parseArguments(['help', 'forward']), { hint: ['Did you mean tunnel help forwards?'] });
  await assert.rejects(parseArguments(['help', 'stauts']), { hint: ['Did you mean tunnel help status?'] });
  await assert.rejects(parseArguments(['help', 'ls', 'add']), { code: 'unexpected-word' });
});

test('what is not for people is in no list', () => {
  assert.ok(commandTable['background']?.hidden);
  assert.doesNotMatch(help + manPage(), /tunnel background/);
});

test('the man page has every command, flag and topic, and man has nothing to say against it', (t) => {
  const page = manPage();
  for (const [name] of shownCommands()) assert.match(page, new RegExp(`tunnel ${name}\\b`));
  for (const flag of Object.keys(flags))
    assert.ok(page.includes(`\\-\\-${flag.replaceAll('-', '\\-')}`), flag);
  const { man, files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    man: string[];
    files: string[];
  };
  // npm links a list only.
  assert.deepEqual(man, ['man/tunnel.1']);
  assert.ok(files.includes('man'));
  assert.equal(readFileSync(join(root, 'man/tunnel.1'), 'utf8'), page, 'the build has written it');
  if (!needs(t, 'man')) return;
  const dir = makeTempDir();
  t.after(() => dir.remove());
  writeFileSync(join(dir.path, 'tunnel.1'), page);
  const shown = execFileSync('man', ['--warnings', '-l', join(dir.path, 'tunnel.1')], {
    env: { ...process.env, MANPAGER: 'cat', MANWIDTH: '100', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  assert.match(shown, /--retry-dial TIME/);
  assert.match(shown, /3000:~\/app\/app\.sock/);
});
