import { closeSync } from 'node:fs';
import { version } from '../version.ts';
import type { Command } from './command.ts';
import { beforeDashes } from './expand-flags.ts';
import { describeFailure } from './failure.ts';
import { readCommands } from './layers/read-commands.ts';
import type { Screens } from './output/output.ts';
import { columnsOf, withoutTerminal } from './output/screen.ts';
import { signalStatus } from './signals.ts';

/** How long a slow reader of a pipe gets for the last lines. */
const FLUSH_MS = 500;

/** Runs one command line, given without the program's own name, and ends the process with its status. */
export async function main(argv: readonly string[]): Promise<void> {
  // A reader that has gone (`| head -1`, a closed terminal) is no reason to end the forwards.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});

  let verbosity = 0;
  // Known before the line is read: what is wrong with it is told on them.
  const screens = beforeDashes(argv).includes('--plain') ? withoutTerminals() : process;
  const fail = (error: unknown, more: readonly string[] = []): number => {
    const { text, exitStatus } = describeFailure(error, verbosity, screens.stderr, more);
    screens.stderr.write(text);
    return exitStatus;
  };
  // A rejection that nobody handles arrives here as well.
  process.on('uncaughtException', (error) => end(fail(error)));

  try {
    const commands = await readCommands(argv, screens.stderr);
    const [command] = commands;
    if (command !== undefined && 'verbosity' in command) verbosity = command.verbosity;
    end(await runAll(commands, screens));
  } catch (error) {
    const more = await suggest(argv, error).catch(() => []);
    end(fail(error, more));
  }
}

/** For `--plain`. */
function withoutTerminals(): Screens {
  return { stdout: withoutTerminal(process.stdout), stderr: withoutTerminal(process.stderr) };
}

/** Loaded only when something went wrong. */
async function suggest(argv: readonly string[], error: unknown): Promise<string[]> {
  return (await import('./suggest.ts')).suggestions(argv, error);
}

/** A profile with several hosts is several commands: what it opens is opened side by side. */
async function runAll(commands: readonly Command[], screens: Screens): Promise<number> {
  const opened = commands.filter((command) => command.name === 'open');
  if (opened.length > 1) return await (await import('./commands/open-all.ts')).openAll(opened, screens);
  let status = 0;
  for (const command of commands) status = Math.max(status, await run(command, screens));
  return status;
}

/** Each command is loaded only when it runs, so that `--help` waits neither for ssh2 nor for ora. */
async function run(command: Command, screens: Screens): Promise<number> {
  switch (command.name) {
    case 'help':
      process.stdout.write(
        (await import('./help/command-help.ts')).helpOn(command.topic, columnsOf(process.stdout)),
      );
      return 0;
    case 'version':
      process.stdout.write(`tunnel ${version}\n`);
      return 0;
    case 'save':
      return await (await import('./commands/save.ts')).save(command, screens);
    case 'profile':
      return await (await import('./commands/profile.ts')).profile(command, screens);
    case 'completion':
      return await (await import('./commands/completion.ts')).completion(command, screens);
    case 'explain':
      return await (await import('./commands/explain.ts')).explain(command, screens);
    case 'scan':
      return await (await import('./commands/scan.ts')).scan(command, screens);
    case 'doctor':
      return await (await import('./commands/doctor.ts')).doctor(command, screens);
    case 'exec':
      return await (await import('./commands/exec.ts')).exec(command, screens);
    case 'open':
      return await (await import('./commands/open.ts')).open(command, screens);
    case 'background':
      return await (await import('./commands/background.ts')).background();
    case 'ls':
      return await (await import('./commands/ls.ts')).ls(command, screens);
    case 'status':
      return await (await import('./commands/status.ts')).status(command, screens);
    case 'stop':
      return await (await import('./commands/stop.ts')).stop(command, screens);
    case 'retry':
      return await (await import('./commands/retry.ts')).retry(command, screens);
    case 'add':
    case 'cancel':
      return await (await import('./commands/change-forwards.ts')).changeForwards(command, screens);
    case 'logs':
      return await (await import('./commands/logs.ts')).logs(command, screens);
    case 'attach':
      return await (await import('./commands/attach.ts')).attach(command, screens);
    case 'service':
      return await (await import('./commands/service.ts')).service(command, screens);
  }
}

/** The one place that ends the process. */
function end(status: number): void {
  const exit = () => {
    if (status === signalStatus('SIGHUP')) closeTerminal();
    // oxlint-disable-next-line unicorn/no-process-exit -- what still listens, or waits, would keep it alive
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
