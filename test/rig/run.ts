import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { onDeath } from './last-resort.ts';
import { killChild } from './processes.ts';

export interface RunOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly input?: string | Buffer;
  readonly timeoutMs?: number;
}

export interface RunResult {
  /** Undefined when a signal ended it. */
  readonly status: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly bytes: Buffer;
}

/** Runs a command to its end. Its standard input ends after `input`. Throws when it takes longer than `timeoutMs` (60 s). */
export async function run(command: readonly string[], options: RunOptions): Promise<RunResult> {
  const [file = '', ...args] = command;
  const timeoutMs = options.timeoutMs ?? 60_000;
  const child = spawn(file, args, { env: options.env, cwd: options.cwd, detached: true });
  const forget = onDeath(() => killChild(child));
  // A child may end without having read its input.
  child.stdin.on('error', () => undefined).end(options.input);
  const timer = setTimeout(() => {
    killChild(child);
    // What it left in the background may still hold the pipes.
    child.stdout.destroy(new Error(`${command.join(' ')} did not end within ${timeoutMs} ms`));
  }, timeoutMs);
  try {
    const [bytes, errors, [status, signal]] = await Promise.all([
      buffer(child.stdout),
      buffer(child.stderr),
      once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
    ]);
    return {
      status: status ?? undefined,
      signal: signal ?? undefined,
      stdout: bytes.toString(),
      stderr: errors.toString(),
      bytes,
    };
  } finally {
    clearTimeout(timer);
    forget();
  }
}

/** As `run`; throws, with what it wrote, unless it ended with 0. */
export async function mustRun(command: readonly string[], options: RunOptions): Promise<RunResult> {
  const result = await run(command, options);
  if (result.status !== 0) {
    throw new Error(`${command.join(' ')} ended with ${result.status ?? result.signal}:\n${result.stderr}`);
  }
  return result;
}
