import type { Target } from '../command.ts';
import { RememberedAnswers } from '../../session/remembered-answers.ts';
import { hangUp, visit } from '../../session/visit.ts';
import { askWith } from '../../ssh/askpass.ts';
import type { SshConnection } from '../../ssh/connection.ts';
import { chooseOutput } from '../output/choose-output.ts';
import type { Screens } from '../output/output.ts';
import { terminalAsk } from '../prompt.ts';
import { aborted, catchStopSignals, signalStatus, type StopSignals } from '../signals.ts';
import { askBetween } from './open.ts';

export type Visited = Pick<Target, 'destination' | 'ssh' | 'transport' | 'quiet' | 'verbosity'>;

/**
 * Connects, has `use` do what it is there for, and hangs up. What happens is shown on standard error. Fulfils with what
 * `use` gave, or with the exit status after a signal; throws what `visit` and `use` throw, and what
 * ended the connection.
 */
export async function visiting<T>(
  command: Visited,
  { stderr }: Screens,
  use: (connection: SshConnection, signal: AbortSignal) => Promise<T>,
  {
    stop = catchStopSignals(),
    answers = new RememberedAnswers(),
  }: { readonly stop?: StopSignals; readonly answers?: RememberedAnswers } = {},
): Promise<{ readonly result: T } | { readonly status: number }> {
  const output = await chooseOutput({ ...command, json: false }, { stdout: stderr, stderr });
  const { host } = command.destination;
  process.once('uncaughtExceptionMonitor', () => output.close());
  const ask = answers.forAttempt(askBetween(output, askWith(terminalAsk(stop.interrupt))));
  const work = async (): Promise<{ result: T }> => {
    const connection = await visit({
      destination: command.destination,
      flags: command.ssh,
      transport: command.transport,
      ...(ask && { ask }),
      warn: (message) => output.event({ type: 'warning', message }),
      debug: (message) => output.event({ type: 'debug', message }),
      phase: (phase) => output.event({ type: 'connecting', host, phase }),
      signal: stop.first,
      trace: command.verbosity > 1,
    });
    try {
      return { result: await Promise.race([use(connection, stop.first), lost(connection)]) };
    } finally {
      await hangUp(connection);
    }
  };
  try {
    const done = await Promise.race([work(), aborted(stop.first)]);
    return done ?? { status: signalStatus(stop.received ?? 'SIGINT') };
  } catch (error) {
    // What fails because it was told to stop is not a failure.
    if (stop.received !== undefined) return { status: signalStatus(stop.received) };
    throw error;
  } finally {
    output.close();
  }
}

/** Rejects with what ended the connection, unless it was closed. */
function lost(connection: SshConnection): Promise<never> {
  return new Promise((_, reject) => {
    void connection.closed.then((error) => {
      if (error !== undefined) reject(error);
    });
  });
}
