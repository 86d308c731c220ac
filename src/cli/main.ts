import { closeSync } from 'node:fs';
import { version } from '../version.ts';
import type { Command } from './command.ts';
import { describeFailure } from './failure.ts';
import { readCommands } from './layers/read-commands.ts';
import { signalStatus } from './signals.ts';

/** How long a slow reader of a pipe gets for the last lines. */
const FLUSH_MS = 500;

/** Runs one command line, given without the program's own name, and ends the process with its status. */
export async function main(argv: readonly string[]): Promise<void> {
  // A reader that has gone (`| head -1`, a closed terminal) is no reason to end the forwards.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});

  let verbosity = 0;
  const fail = (error: unknown, more: readonly string[] = []): number => {
    const { text, exitStatus } = describeFailure(error, verbosity, process.stderr, more);
    process.stderr.write(text);
    return exitStatus;
  };
  // A rejection that nobody handles arrives here as well.
  process.on('uncaughtException', (error) => end(fail(error)));

  try {
    const commands = await readCommands(argv);
    const [command] = commands;
    if (command !== undefined && 'verbosity' in command) verbosity = command.verbosity;
    end(await runAll(commands));
  } catch (error) {
    const more = await suggest(argv, error).catch(() => []);
    end(fail(error, more));
  }
}

/** Loaded only when something went wrong. */
async function suggest(argv: readonly string[], error: unknown): Promise<string[]> {
  return (await import('./suggest.ts')).suggestions(argv, error);
}

/** A profile with several hosts is several commands: what it opens is opened side by side. */
async function runAll(commands: readonly Command[]): Promise<number> {
  const opened = commands.filter((command) => command.name === 'open');
  if (opened.length > 1) return await (await import('./commands/open-all.ts')).openAll(opened);
  let status = 0;
  for (const command of commands) status = Math.max(status, await run(command));
  return status;
}

/** Each command is loaded only when it runs, so that `--help` waits neither for ssh2 nor for ora. */
async function run(command: Command): Promise<number> {
  switch (command.name) {
    case 'help':
      process.stdout.write((await import('./help/command-help.ts')).helpOn(command.topic));
      return 0;
    case 'version':
      process.stdout.write(`tunnel ${version}\n`);
      return 0;
    case 'save':
      return await (await import('./commands/save.ts')).save(command);
    case 'profile':
      return await (await import('./commands/profile.ts')).profile(command);
    case 'completion':
      return await (await import('./commands/completion.ts')).completion(command);
    case 'explain':
      return await (await import('./commands/explain.ts')).explain(command);
    case 'scan':
      return await (await import('./commands/scan.ts')).scan(command);
    case 'doctor':
      return await (await import('./commands/doctor.ts')).doctor(command);
    case 'exec':
      return await (await import('./commands/exec.ts')).exec(command);
    case 'open':
      return await (await import('./commands/open.ts')).open(command);
    case 'background':
      return await (await import('./commands/background.ts')).background();
    case 'ls':
      return await (await import('./commands/ls.ts')).ls(command);
    case 'status':
      return await (await import('./commands/status.ts')).status(command);
    case 'stop':
      return await (await import('./commands/stop.ts')).stop(command);
    case 'retry':
      return await (await import('./commands/retry.ts')).retry(command);
    case 'add':
    case 'cancel':
      return await (await import('./commands/change-forwards.ts')).changeForwards(command);
    case 'logs':
      return await (await import('./commands/logs.ts')).logs(command);
    case 'attach':
      return await (await import('./commands/attach.ts')).attach(command);
    case 'service':
      return await (await import('./commands/service.ts')).service(command);
  }
}

/** The one place that ends the process. */
function end(status: number): void {
  const exit = () => {
    if (status === signalStatus('SIGHUP')) closeTerminal();
    // oxlint-disable-next-line unicorn/no-process-exit
    process.exit(status);
  };
  process.stdout.write('', () => process.stderr.write('', exit));
  setTimeout(exit, FLUSH_MS);
}

/**
 * Node.js restores the terminal's modes when it exits, and aborts where the terminal is gone (ResetStdio in node.cc);
 * closed descriptors it leaves alone.
 */
function closeTerminal(): void {
  for (const fd of [0, 1, 2]) {
    try {
      closeSync(fd);
    } catch {
      // It was closed already.
    }
  }
}
