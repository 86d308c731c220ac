import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Ask, Question } from '../../../src/ssh/context.ts';
import { Askpass } from '../../../src/ssh/openssh/askpass.ts';
import { PrivateDir } from '../../../src/ssh/openssh/private-dir.ts';
import { Questions } from '../../../src/ssh/openssh/questions.ts';
import { run } from '../../rig/run.ts';

test('an answer is printed for ssh, and a question that is declined ends the helper with 1', async (t) => {
  const answers = ['sécret "quoted" \\', undefined];
  const { askpass, questions } = await start(t, async () => answers.shift());

  const answered = await run([askpass.path, "two\nlines' "], { env: process.env });
  assert.deepEqual([answered.status, answered.stdout], [0, 'sécret "quoted" \\\n']);
  const declined = await run([askpass.path, 'PIN: '], { env: process.env });
  assert.deepEqual([declined.status, declined.stdout], [1, '']);
  assert.deepEqual(questions, [
    { text: "two\nlines' ", echo: false },
    { text: 'PIN: ', echo: false },
  ]);
});

test('a confirmation is a yes or a no', async (t) => {
  const answers = ['yes', 'no'];
  const { askpass, questions } = await start(t, async () => answers.shift());
  const env = { ...process.env, SSH_ASKPASS_PROMPT: 'confirm' };

  assert.equal((await run([askpass.path, 'Add the key?'], { env })).status, 0);
  assert.equal((await run([askpass.path, 'Add the key?'], { env })).status, 1);
  assert.deepEqual(questions[0], { text: 'Add the key? (yes/no) ', echo: true });
});

test('what is only to be shown is shown, until ssh ends the helper', async (t) => {
  const { askpass, questions, warnings, shown } = await start(t, async () => 'no');
  const env = { ...process.env, SSH_ASKPASS_PROMPT: 'none' };
  const helper = spawn(askpass.path, ['Confirm user presence for key'], { env, stdio: 'ignore' });
  const exit = once(helper, 'exit');
  await shown;
  assert.equal(helper.exitCode, null);

  helper.kill();

  assert.deepEqual(await exit, [null, 'SIGTERM']);
  assert.deepEqual(warnings, ['Confirm user presence for key']);
  assert.deepEqual(questions, []);
});

test('what is no question is turned away, and the next one is answered', async (t) => {
  const { askpass, questions } = await start(t, async () => 'answer');
  for (const garbage of ['{\n', 'null\n', '{"text":1,"kind":""}\n']) {
    const socket = connect(join(dirname(askpass.path), 'ask'));
    socket.write(garbage);
    await once(socket.resume(), 'close');
  }
  assert.deepEqual(questions, []);
  assert.equal((await run([askpass.path, 'PIN: '], { env: process.env })).stdout, 'answer\n');
});

test('a question is withdrawn when the helper is gone, and when nobody waits for it any more', async (t) => {
  const signals: AbortSignal[] = [];
  let asked = (): void => undefined;
  const { askpass } = await start(t, async (_question, signal) => {
    if (signal) signals.push(signal);
    asked();
    return await new Promise((resolve) => signal?.addEventListener('abort', () => resolve(undefined)));
  });
  const ask = async (): Promise<ReturnType<typeof spawn>> => {
    const reached = new Promise<void>((resolve) => (asked = resolve));
    const helper = spawn(askpass.path, ['Code: '], { stdio: 'ignore' });
    await reached;
    return helper;
  };

  const killed = await ask();
  killed.kill('SIGKILL');
  await aborted(signals[0]);
  const left = await ask();
  const exit = once(left, 'exit');
  askpass.close();
  await aborted(signals[1]);
  assert.deepEqual(await exit, [1, null]);
});

interface Started {
  readonly askpass: Askpass;
  readonly questions: Question[];
  readonly warnings: string[];
  /** Settles when the first warning was given. */
  readonly shown: Promise<void>;
}

async function start(t: TestContext, ask: Ask): Promise<Started> {
  const questions: Question[] = [];
  const warnings: string[] = [];
  const { promise: shown, resolve } = deferred();
  const context = {
    ask: async (question: Question, signal?: AbortSignal) => {
      questions.push(question);
      return await ask(question, signal);
    },
    warn: (message: string) => {
      warnings.push(message);
      resolve();
    },
    debug: () => undefined,
    phase: () => undefined,
    signal: new AbortController().signal,
  };
  const dir = await PrivateDir.create();
  const handed = new Questions(context, () => undefined);
  const askpass = await Askpass.start(dir, (question, gone) => handed.answer(question, gone));
  t.after(async () => {
    askpass.close();
    await dir.remove();
  });
  return { askpass, questions, warnings, shown };
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

async function aborted(signal: AbortSignal | undefined): Promise<void> {
  assert.ok(signal);
  if (!signal.aborted) await once(signal, 'abort');
}
