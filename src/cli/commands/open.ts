import { setTimeout as delay } from 'node:timers/promises';
import { TunnelError } from '../../errors.ts';
import { RememberedAnswers } from '../../session/remembered-answers.ts';
import type { HostOptions } from '../../session/control/host.ts';
import { askWith } from '../../ssh/askpass.ts';
import type { Ask } from '../../ssh/context.ts';
import type { OpenCommand } from '../command.ts';
import { onEnter } from '../enter.ts';
import { chooseOutput } from '../output/choose-output.ts';
import type { Output, Screens } from '../output/output.ts';
import { terminalAsk } from '../prompt.ts';
import { aborted, catchStopSignals, signalStatus, type StopSignals } from '../signals.ts';
import type { BrowsingOutput } from './browse.ts';
import { begin as beginReally, type Begin, type Elsewhere, type KeptSession, whenOpen } from './begin.ts';

/** How long open connections may go on after the first Ctrl-C. */
const GRACE_MS = 3000;

/** How long closing may take after the second. */
const ABANDON_MS = 500;

/**
 * Opens the session and keeps it until a signal or its own end; where another process has it, adds to that one for as
 * long as this one runs. Fulfils with the exit status; throws what `begin` throws, and the error that ended the session.
 */
export async function open(
  typed: OpenCommand,
  screens: Screens = process,
  begin: Begin = beginReally,
): Promise<number> {
  const stop = catchStopSignals();
  // Whoever has typed a passphrase to have a look is not asked for it again.
  const answers = new RememberedAnswers();
  const command = await completed(typed, screens, stop, answers);
  if (typeof command === 'number') return command;
  if (command.detach) return await (await import('./detach.ts')).detach(command, screens, answers);
  const output = await outputFor(command, screens);
  // The error is printed by others, and the live line must not be in its way.
  process.once('uncaughtExceptionMonitor', () => output.close());

  const ask = answers.forAttempt(terminalAskBetween(output, stop));
  const ended = await live(command, begin, output, stop, ask).catch((error: unknown) => error);
  // What fails because it was told to stop is not a failure.
  const error = stop.received ? undefined : ended;
  // The session's own `closed` is held back, so that there is one, always the last, that knows the reason.
  output.event({
    type: 'closed',
    host: command.destination.host,
    ...(error instanceof TunnelError && { error }),
  });
  output.close();
  if (error !== undefined) throw error;
  return stop.received ? signalStatus(stop.received) : 0;
}

/** What is to be opened where nothing is named may have to be found out first. */
async function completed(
  command: OpenCommand,
  screens: Screens,
  stop: StopSignals,
  answers: RememberedAnswers,
): Promise<OpenCommand | number> {
  if (command.forwards !== undefined) return command;
  try {
    return await (await import('./alone.ts')).withForwards(command, screens, { stop, answers });
  } catch (error) {
    // Whoever reads events waits for the last one; a wrong command line has none.
    if (command.json && error instanceof TunnelError && error.exitStatus !== 2) {
      (await chooseOutput(command, screens)).event({ type: 'closed', host: command.destination.host, error });
    }
    throw error;
  }
}

/** The output that suits the command, with the browser behind it where it is wanted. */
export async function outputFor(command: OpenCommand, screens: Screens): Promise<BrowsingOutput> {
  const output = await chooseOutput(command, screens);
  return command.browse ? (await import('./browse.ts')).browsing(output) : output;
}

/** Fulfils with the error that ended the session, if there was one. */
export async function live(
  command: OpenCommand,
  begin: Begin,
  output: Output,
  stop: StopSignals,
  ask: Ask | undefined,
): Promise<unknown> {
  let kept: KeptSession | undefined;
  const enter = onEnter(() => void kept?.retry());
  const options: HostOptions = {
    ...(ask && { ask }),
    onEvent(event) {
      if (event.type === 'closed') return;
      output.event(event);
      enter.follow(event);
    },
    signal: stop.first,
    trace: command.verbosity > 1,
  };
  try {
    for (;;) {
      const begun = await Promise.race([begin(command, options), aborted(stop.second)]);
      if (begun === undefined) return undefined;
      if (begun.kept !== undefined) {
        kept = begun.kept;
        return await keep(kept, output, stop);
      }
      const error = await follow(begun, output, stop).catch((cause: unknown) => {
        if (command.life.wait && hasGone(cause)) return cause;
        throw cause;
      });
      // What waits for the network waits for this, too: the session is opened here as soon as it has ended there.
      if (!command.life.wait || stop.first.aborted) return error;
      output.event({ type: 'warning', message: tookOver(begun.name, error) });
    }
  } finally {
    enter.close();
  }
}

/** Whether the session of the other process ended before anything was added to it. */
function hasGone(error: unknown): boolean {
  return error instanceof TunnelError && ['session-ended', 'no-session'].includes(error.code);
}

function tookOver(name: string, error: unknown): string {
  const why = error instanceof Error ? `${error.message}. ` : '';
  return `${why}With --wait the session with ${name} is opened here now.`;
}

async function keep(session: KeptSession, output: Output, stop: StopSignals): Promise<unknown> {
  try {
    await Promise.race([whenOpen(session), aborted(stop.second)]);
  } catch (error) {
    // Another process asked for the end, and got it.
    if (session.stopped) return undefined;
    throw error;
  }
  output.watch(() => session.traffic());
  const error = await Promise.race([session.closed, aborted(stop.first)]);
  if (stop.received) await close(session, output, stop);
  return error;
}

async function follow(begun: Elsewhere, output: Output, stop: StopSignals): Promise<unknown> {
  const { join } = await import('./join.ts');
  return await join(begun, output, stop.first);
}

async function close(session: KeptSession, output: Output, stop: StopSignals): Promise<void> {
  const { open } = session.traffic();
  if (open > 0) {
    const connections = open === 1 ? '1 connection is' : `${open} connections are`;
    const again = stop.received === 'SIGINT' ? 'Ctrl-C again stops at once' : 'a second signal stops at once';
    output.note(`Closing: ${connections} open, waiting up to ${GRACE_MS / 1000} s (${again})`);
  }
  await Promise.race([session.close({ graceMs: GRACE_MS }), aborted(stop.second)]);
  if (stop.second.aborted) await Promise.race([session.close(), delay(ABANDON_MS)]);
}

/** Takes the spinner and the live line away while a question is on the terminal; a second question waits its turn. */
export function askBetween(output: Output, ask: Ask | undefined): Ask | undefined {
  if (!ask) return undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const askAlone: Ask = async (question, signal) => {
    output.suspend();
    try {
      return await ask(question, signal);
    } finally {
      output.resume();
    }
  };
  return (question, signal) => {
    const answer = turn.then(() => askAlone(question, signal));
    turn = answer.catch(() => undefined);
    return answer;
  };
}

/** The person at the terminal, or the program that SSH_ASKPASS names. */
export function terminalAskBetween(output: Output, stop: StopSignals): Ask | undefined {
  return askBetween(output, askWith(terminalAsk(stop.interrupt)));
}
