import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { DialError } from '../../errors.ts';
import { collectOutput } from '../command-output.ts';
import type { CommandResult } from '../connection.ts';
import { clientOptions } from './ssh-arguments.ts';

export interface ExecOptions {
  readonly controlPath: string;
  readonly alias: string;
  readonly command: string;
  readonly timeoutMs: number;
  /** A path that is free, for what ssh itself has to say. */
  readonly logFile: string;
}

/** Runs one command over the master's connection, with nothing on its standard input. Throws a `DialError`. */
export async function run({
  controlPath,
  alias,
  command,
  timeoutMs,
  logFile,
}: ExecOptions): Promise<CommandResult> {
  // Only ssh's log tells the status 255 of the command from a failure of ssh, and ssh's own words from the command's.
  const log = ['-o', 'LogLevel=DEBUG2', '-E', logFile];
  const result = await runProgram(
    'ssh',
    [...clientOptions(controlPath), ...log, '-T', '--', alias, command],
    { timeoutMs },
  );
  const said = await readFile(logFile, 'utf8').catch(() => '');
  await rm(logFile, { force: true });
  if (!said.includes('master session id:')) throw notRun(alias, said);
  const status = /Received exit status from master (\d+)/.exec(said)?.[1];
  return { ...result, status: status === undefined ? undefined : Number(status) };
}

/** Runs a program of OpenSSH. Rejects when it cannot be started, and after `timeoutMs`. */
export async function runProgram(
  name: string,
  args: readonly string[],
  { timeoutMs, input }: { readonly timeoutMs: number; readonly input?: string },
): Promise<CommandResult> {
  // A group of its own: a Ctrl-C is for us, who decide what ends.
  const child = spawn(name, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => undefined).end(input);
  const [stdout, stderr] = [collectOutput(child.stdout), collectOutput(child.stderr)];
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), timeoutMs);
  try {
    const [status] = (await once(child, 'close', { signal: limit.signal })) as [number | null];
    return { stdout: stdout(), stderr: stderr(), status: status ?? undefined };
  } catch (cause) {
    // The master has these pipes, too, for as long as the command runs.
    for (const pipe of child.stdio) pipe?.destroy();
    child.kill('SIGKILL');
    if (!limit.signal.aborted) throw cause;
    throw new DialError('no-answer', `No answer within ${timeoutMs} ms`);
  } finally {
    clearTimeout(timer);
  }
}

function notRun(alias: string, said: string): DialError {
  const lines = said.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('debug'));
  return new DialError('exec-refused', `${alias} runs no command for us`, { hint: lines.slice(-3) });
}
