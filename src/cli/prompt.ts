import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { ReadStream, WriteStream } from 'node:tty';
import type { Ask, Question } from '../ssh/context.ts';
import { printable } from '../printable.ts';

/** The two ends of the terminal that a question is asked on. */
interface Terminal {
  readonly input: ReadStream;
  readonly output: WriteStream;
  release(): void;
}

/**
 * Asks on the terminal that controls this process, as ssh does (readpass.c), so that standard input and output may be
 * redirected; else on standard input and error where both are terminals. Undefined when there is nobody to ask.
 *
 * `interrupt` is called for a Ctrl-C: a terminal that is being read character by character sends no signal.
 */
export function terminalAsk(interrupt: () => void): Ask | undefined {
  const open = hasControllingTerminal() ? openControllingTerminal : standardTerminal();
  return (
    open &&
    (async (question, signal) =>
      signal?.aborted ? undefined : await askOn(open(), question, interrupt, signal))
  );
}

function hasControllingTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r+'));
    return true;
  } catch {
    return false;
  }
}

function openControllingTerminal(): Terminal {
  const input = new ReadStream(openSync('/dev/tty', 'r'));
  const output = new WriteStream(openSync('/dev/tty', 'w'));
  return {
    input,
    output,
    release() {
      input.destroy();
      output.destroy();
    },
  };
}

function standardTerminal(): (() => Terminal) | undefined {
  const { stdin: input, stderr: output } = process;
  if (!input.isTTY || !output.isTTY) return undefined;
  return () => ({ input, output, release: () => input.pause() });
}

async function askOn(
  terminal: Terminal,
  question: Question,
  interrupt: () => void,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { input, output } = terminal;
  const reader = createInterface({
    input,
    // What is typed is echoed by readline: a secret, to nowhere.
    output: question.echo ? output : nowhere(),
    terminal: true,
    historySize: 0,
  });
  const lines = question.text.split('\n').map((line) => printable(line));
  const prompt = lines.pop() ?? '';
  // Not before the terminal itself has stopped echoing: somebody may be quick to type.
  for (const line of lines) output.write(`${line}\n`);
  if (!question.echo) output.write(prompt);

  // A terminal that goes away ends the question; its SIGHUP ends the program.
  input.on('error', () => reader.close());
  const close = () => reader.close();
  signal?.addEventListener('abort', close);
  let answer: string | undefined;
  try {
    return await new Promise((resolve) => {
      reader.once('close', () => resolve(answer)); // Ctrl-D as well
      reader.once('SIGINT', () => {
        interrupt();
        reader.close();
      });
      reader.question(question.echo ? prompt : '', (text) => {
        answer = text;
        reader.close();
      });
    });
  } finally {
    signal?.removeEventListener('abort', close);
    if (answer === undefined || !question.echo) output.write('\n');
    terminal.release();
  }
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, callback) => callback() });
}
