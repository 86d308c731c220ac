import assert from 'node:assert/strict';
import { spawn as spawnChild } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { spawn, type IPty } from '@lydell/node-pty';

const fixture = fileURLToPath(new URL('ask.fixture.ts', import.meta.url));

/** Runs a command in a terminal of its own. `see` waits for output that was not yet seen. */
function inTerminal(command: string, args: string[]) {
  const pty: IPty = spawn(command, args, { cols: 80, rows: 24 });
  let text = '';
  let seen = 0;
  let wake: (() => void) | undefined;
  let over = false;
  const ended = new Promise<number>((resolve) => {
    pty.onExit(({ exitCode }) => {
      over = true;
      resolve(exitCode);
      wake?.();
    });
  });
  pty.onData((data) => {
    text += data;
    wake?.();
  });
  const see = async (wanted: string): Promise<void> => {
    while (!text.includes(wanted, seen)) {
      assert.ok(!over, `${JSON.stringify(wanted)} is not in ${JSON.stringify(text)}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    seen = text.indexOf(wanted, seen) + wanted.length;
  };
  return { see, ended, type: (keys: string) => pty.write(keys), text: () => text };
}

function asking(...questions: { text: string; echo: boolean }[]) {
  return inTerminal(process.execPath, [
    '--import=tsx',
    fixture,
    ...questions.map((question) => JSON.stringify(question)),
  ]);
}

test('an answer is echoed and returned', async () => {
  const terminal = asking({ text: 'The key is new.\nGo on? ', echo: true });
  await terminal.see('The key is new.');
  await terminal.see('Go on? ');
  terminal.type('yes\r');
  await terminal.see('yes');
  await terminal.see('"answer":"yes"');
  assert.equal(await terminal.ended, 0);
});

test('a secret is returned and never shown', async () => {
  const terminal = asking({ text: 'Passphrase: ', echo: false });
  await terminal.see('Passphrase: ');
  terminal.type('pässword\u007F\r');
  await terminal.see('"answer":"pässwor"');
  assert.equal(await terminal.ended, 0);
  assert.equal(terminal.text().split('pässwor').length, 2);
});

test('Ctrl-D declines, and the next question can be answered', async () => {
  const terminal = asking({ text: 'First: ', echo: true }, { text: 'Second: ', echo: false });
  await terminal.see('First: ');
  terminal.type('\u0004');
  await terminal.see('{"asked":true}');
  await terminal.see('Second: ');
  terminal.type('x\r');
  await terminal.see('"answer":"x"');
  assert.equal(await terminal.ended, 0);
});

test('Ctrl-C in a question interrupts and declines it', async () => {
  const terminal = asking({ text: 'Passphrase: ', echo: false });
  await terminal.see('Passphrase: ');
  terminal.type('abc\u0003');
  await terminal.see('interrupted');
  await terminal.see('{"asked":true}');
  assert.equal(await terminal.ended, 0);
});

test('the terminal is asked though standard input and output are redirected, and is left as it was', async () => {
  const question = JSON.stringify({ text: 'Passphrase: ', echo: false });
  const script = `before=$(stty -g)
    answer=$("$0" --import=tsx "$1" "$2" </dev/null 2>/dev/null)
    test "$before" = "$(stty -g)" && echo "unchanged, $answer"`;
  const terminal = inTerminal('sh', ['-c', script, process.execPath, fixture, question]);
  await terminal.see('Passphrase: ');
  terminal.type('secret\r');
  await terminal.see('unchanged, {"asked":true,"answer":"secret"}');
  assert.equal(await terminal.ended, 0);
});

test('a question cannot draw on the terminal', async () => {
  const terminal = asking({ text: 'Key \u001B[2Jof \u0007vps: ', echo: false });
  await terminal.see('Key \uFFFD[2Jof \uFFFDvps: ');
  terminal.type('\r');
  assert.equal(await terminal.ended, 0);
});

test('there is nobody to ask without a terminal', async () => {
  // A session of its own has no controlling terminal.
  const child = spawnChild(process.execPath, ['--import=tsx', fixture, '{"text":"Go on? ","echo":true}'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  await once(child, 'close');
  assert.equal(stdout, '{"asked":false}\n');
});
