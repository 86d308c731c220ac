import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ConnectError, TunnelError } from '../../errors.ts';
import { sessionName } from '../../session/control/socket.ts';
import { logPath, makeLogDirectory } from '../../session/log-file.ts';
import { readEvent, ReportedError } from '../../session/report.ts';
import { RememberedAnswers } from '../../session/remembered-answers.ts';
import { askWith } from '../../ssh/askpass.ts';
import type { OpenCommand } from '../command.ts';
import type { Screens } from '../output/output.ts';
import { terminalAsk } from '../prompt.ts';
import { aborted, catchStopSignals, signalStatus } from '../signals.ts';
import type { FromBackground, ToBackground } from './background-messages.ts';
import { askBetween, outputFor } from './open.ts';

/** How long the process may take to end in good order; connections get 3 s to finish. */
const LIMIT_MS = 8000;

/**
 * Starts a process that keeps the session, shows what it tells until everything is open, and leaves it alone. Fulfils
 * with the exit status; throws what the session could not be opened for.
 */
export async function detach(
  command: OpenCommand,
  screens: Screens,
  answers = new RememberedAnswers(),
): Promise<number> {
  const stop = catchStopSignals();
  const output = await outputFor(command, screens);
  const ask = answers.forAttempt(askBetween(output, askWith(terminalAsk(stop.interrupt))));
  const name = sessionName(command.destination, command.ssh);
  const child = startProcess(name);
  stop.first.addEventListener('abort', () => child.kill('SIGTERM'));
  const tell = (message: ToBackground): void => {
    if (child.connected) child.send(message);
  };
  const opened = new Promise<number | undefined>((resolve, reject) => {
    child.on('message', (message: FromBackground) => {
      switch (message.type) {
        case 'event':
          return output.event(readEvent(message.report));
        case 'note':
          return output.note(message.message);
        case 'question':
          void answer(message.id);
          break;
        case 'opened':
          return resolve(message.pid);
        case 'stopped':
          return resolve(undefined);
        case 'failed':
          return reject(new ReportedError(message.error));
      }
      async function answer(id: number): Promise<void> {
        const { question } = message as FromBackground & { type: 'question' };
        tell({ type: 'answer', id, answer: await ask?.(question, stop.first) });
      }
    });
    child.once('error', reject);
    child.once('exit', (status, signal) => reject(died(name, signal ?? status)));
  });
  tell({ type: 'open', command });
  try {
    const pid = await opened;
    if (pid === undefined) {
      output.event({ type: 'closed', host: command.destination.host });
      if (!command.json) output.note(`${name} was stopped by another process before it was open.`);
      return 0;
    }
    await Promise.race([output.browsed?.(), aborted(stop.first)]);
    if (!command.json)
      output.note(`${name} stays open in the background (pid ${pid}). To end it: tunnel stop ${name}`);
    return 0;
  } catch (error) {
    if (stop.received) {
      await Promise.race([ended(child), aborted(stop.second), delay(LIMIT_MS)]);
      child.kill('SIGKILL');
      return signalStatus(stop.received);
    }
    if (error instanceof TunnelError) output.event({ type: 'closed', host: command.destination.host, error });
    throw error;
  } finally {
    output.close();
    if (child.connected) child.disconnect();
    child.unref();
  }
}

function startProcess(name: string): ChildProcess {
  const stderr = openCrashFile(name);
  try {
    const program = process.argv[1] ?? '';
    return spawn(process.execPath, [...process.execArgv, program, 'background', name], {
      detached: true,
      stdio: ['ignore', 'ignore', stderr, 'ipc'],
    });
  } finally {
    if (stderr !== 'ignore') closeSync(stderr);
  }
}

/** What a crash leaves behind goes to a file beside the log. Where that cannot be written, the session says so itself. */
function openCrashFile(name: string): number | 'ignore' {
  try {
    makeLogDirectory();
    return openSync(`${logPath(name)}.stderr`, 'w', 0o600);
  } catch {
    return 'ignore';
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

function died(name: string, how: number | NodeJS.Signals | null): ConnectError {
  return new ConnectError(
    'background-ended',
    `The process in the background ended before ${name} was open (${how})`,
    {
      hint: [`What it last said is in ${logPath(name)}.stderr`],
    },
  );
}
