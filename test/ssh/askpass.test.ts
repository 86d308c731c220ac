import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { askWith } from '../../src/ssh/askpass.ts';
import type { Ask } from '../../src/ssh/context.ts';
import { makeTempDir } from '../rig/temp-dir.ts';

interface Program {
  readonly path: string;
  /** Its arguments and SSH_ASKPASS_PROMPT, as it was last called. */
  readonly call: () => string;
}

function program(t: TestContext, answer: string, status = 0): Program {
  const dir = makeTempDir();
  t.after(() => dir.remove());
  const [path, log] = [join(dir.path, 'askpass'), join(dir.path, 'log')];
  writeFileSync(
    path,
    `#!/bin/sh\nprintf '%s|' "$@" "$SSH_ASKPASS_PROMPT" > ${log}\n${answer}\nexit ${status}\n`,
  );
  chmodSync(path, 0o755);
  return { path, call: () => readFileSync(log, 'utf8') };
}

const terminal: Ask = async () => 'typed';
const secret = { text: 'Passphrase: ', echo: false };

for (const [required, display, hasTerminal, asked] of [
  [undefined, false, true, 'terminal'],
  [undefined, true, true, 'terminal'],
  [undefined, true, false, 'program'],
  [undefined, false, false, 'nobody'],
  ['never', true, false, 'nobody'],
  ['never', true, true, 'terminal'],
  ['prefer', true, true, 'program'],
  ['prefer', false, true, 'terminal'],
  ['prefer', false, false, 'nobody'],
  ['force', false, true, 'program'],
  ['FORCE', false, false, 'program'],
] as const) {
  const where = `${display ? 'a' : 'no'} display and ${hasTerminal ? 'a' : 'no'} terminal`;
  test(`SSH_ASKPASS_REQUIRE ${required ?? 'unset'} with ${where}: ${asked} is asked`, async (t) => {
    const { path } = program(t, 'echo printed');
    const env = {
      SSH_ASKPASS: path,
      ...(required && { SSH_ASKPASS_REQUIRE: required }),
      ...(display && { DISPLAY: ':0' }),
    };
    const ask = askWith(hasTerminal ? terminal : undefined, env);
    const answer = await ask?.(secret);
    assert.equal(answer, { terminal: 'typed', program: 'printed', nobody: undefined }[asked]);
  });
}

test('Wayland is a display, too, and a program that is not there asks nobody', async (t) => {
  const { path } = program(t, 'echo printed');
  assert.equal(await askWith(undefined, { SSH_ASKPASS: path, WAYLAND_DISPLAY: 'w' })?.(secret), 'printed');
  assert.equal(askWith(undefined, { SSH_ASKPASS: '/nonexistent', DISPLAY: ':0' }), undefined);
  assert.equal(askWith(terminal, { SSH_ASKPASS: '/nonexistent', SSH_ASKPASS_REQUIRE: 'force' }), terminal);
});

test('the program is given the question as one argument, and its first line is the answer', async (t) => {
  const { path, call } = program(t, "printf 'pass word \\nmore\\n'");
  const ask = askWith(undefined, { SSH_ASKPASS: path, SSH_ASKPASS_REQUIRE: 'force' });
  assert.equal(await ask?.({ text: 'First line\nand \x1b[31msecond: ', echo: false }), 'pass word ');
  assert.equal(call(), 'First line\nand \uFFFD[31msecond: ||');
});

test('a question that is too long for an argument is declined', async (t) => {
  const { path } = program(t, 'echo printed');
  const ask = askWith(undefined, { SSH_ASKPASS: path, SSH_ASKPASS_REQUIRE: 'force' });
  assert.equal(await ask?.({ text: 'x'.repeat(8 * 1024 * 1024), echo: false }), undefined);
});

test('a status other than 0 declines, whatever was printed', async (t) => {
  const { path } = program(t, 'echo printed', 1);
  assert.equal(
    await askWith(undefined, { SSH_ASKPASS: path, SSH_ASKPASS_REQUIRE: 'force' })?.(secret),
    undefined,
  );
});

test('a question for yes or no says so, and is answered by the status', async (t) => {
  const question = { text: 'Add it? ', echo: true, confirm: true };
  for (const status of [0, 1]) {
    const { path, call } = program(t, '', status);
    const ask = askWith(undefined, { SSH_ASKPASS: path, SSH_ASKPASS_REQUIRE: 'force' });
    assert.equal(await ask?.(question), status === 0 ? 'yes' : undefined);
    assert.equal(call(), 'Add it? |confirm|');
  }
});

test('an aborted question ends the program', async (t) => {
  const { path } = program(t, 'exec sleep 60');
  const abort = new AbortController();
  const ask = askWith(undefined, { ...process.env, SSH_ASKPASS: path, SSH_ASKPASS_REQUIRE: 'force' });
  const asking = ask?.(secret, abort.signal);
  abort.abort();
  assert.equal(await asking, undefined);
});
