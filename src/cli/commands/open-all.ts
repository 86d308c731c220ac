import { TunnelError } from '../../errors.ts';
import type { Traffic } from '../../session/session.ts';
import type { OpenCommand } from '../command.ts';
import { chooseOutput } from '../output/choose-output.ts';
import type { Output, Screens } from '../output/output.ts';
import { catchStopSignals, signalStatus } from '../signals.ts';
import { begin } from './begin.ts';
import { live, terminalAskBetween } from './open.ts';

/**
 * Opens the sessions of a profile side by side, and keeps them until a signal or the end of the last one: one that fails
 * does not take the others with it. Fulfils with the exit status; throws the error of the last.
 */
export async function openAll(commands: readonly OpenCommand[], screens: Screens = process): Promise<number> {
  const [first] = commands;
  if (first === undefined) return 0;
  if (first.detach) return await detachAll(commands, screens);
  const stop = catchStopSignals();
  const output = await chooseOutput(first, screens);
  process.once('uncaughtExceptionMonitor', () => output.close());
  const ask = terminalAskBetween(output, stop);
  const outputs = sideBySide(output);
  const errors: unknown[] = [];
  let running = commands.length;
  await Promise.all(
    commands.map(async (command) => {
      const ended = await live(command, begin, outputs(), stop, ask).catch((error: unknown) => error);
      running -= 1;
      const error = stop.received ? undefined : ended;
      const { host } = command.destination;
      output.event({ type: 'closed', host, ...(error instanceof TunnelError && { error }) });
      if (error === undefined) return;
      errors.push(error);
      if (running > 0) output.event({ type: 'warning', message: described(host, error) });
    }),
  );
  output.close();
  if (stop.received) return signalStatus(stop.received);
  if (errors.length > 0) throw errors.at(-1);
  return 0;
}

async function detachAll(commands: readonly OpenCommand[], screens: Screens): Promise<number> {
  const { detach } = await import('./detach.ts');
  const errors: unknown[] = [];
  for (const [index, command] of commands.entries()) {
    try {
      const status = await detach(command, screens);
      if (status !== 0) return status;
    } catch (error) {
      errors.push(error);
      if (index < commands.length - 1)
        screens.stderr.write(`! ${described(command.destination.host, error)}\n`);
    }
  }
  if (errors.length > 0) throw errors.at(-1);
  return 0;
}

/** The last error is told by whoever ends the program. */
function described(host: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof TunnelError ? error.hint : [];
  return [`${host}: ${message}`, ...hint].join('\n');
}

/** One output that shows the traffic of all of them. */
function sideBySide(output: Output): () => Output {
  const sources: (() => Traffic)[] = [];
  const total = (): Traffic => {
    const sum = { open: 0, total: 0, bytesUp: 0, bytesDown: 0 };
    for (const source of sources) {
      const { open, total, bytesUp, bytesDown } = source();
      sum.open += open;
      sum.total += total;
      sum.bytesUp += bytesUp;
      sum.bytesDown += bytesDown;
    }
    return sum;
  };
  return () => ({
    ...output,
    watch(source) {
      sources.push(source);
      output.watch(total);
    },
  });
}
