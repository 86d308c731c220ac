import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { systemCode, TunnelError } from '../../errors.ts';
import { ControlClient } from '../../session/control/client.ts';
import { controlSocketPath } from '../../session/control/socket.ts';
import type { ForwardView } from '../../session/events.ts';
import { readForward } from '../../session/report.ts';
import { withAbsolutePlaces } from '../../session/http-spec.ts';
import { formatFlag } from '../../spec.ts';
import { askWith } from '../../ssh/askpass.ts';
import type { ExecCommand } from '../command.ts';
import { ownsTerminal } from '../enter.ts';
import { errorLines } from '../output/lines.ts';
import type { Output, Screens } from '../output/output.ts';
import { plainOutput } from '../output/plain.ts';
import { painter } from '../output/screen.ts';
import { terminalAsk } from '../prompt.ts';
import { aborted, catchStopSignals, signalStatus, type StopSignals } from '../signals.ts';
import { begin, type Elsewhere, type KeptSession, whenOpen } from './begin.ts';
import { execVariables } from './exec-variables.ts';
import { mismatches, show } from './join.ts';
import { askBetween } from './open.ts';
import { remember } from './remember.ts';

/** How long connections of the command may finish after its end. */
const GRACE_MS = 1000;

/** What a command is told as well; SIGKILL and SIGSTOP cannot be passed on. */
const PASSED = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
  'SIGCONT',
] as const;
/** The terminal itself sends these to everything in its foreground. */
const FROM_TERMINAL: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGWINCH'];

/** The forwards are open until `close`. */
interface Opened {
  readonly forwards: readonly ForwardView[];
  /** Settles if the session ends by itself. */
  readonly ended: Promise<unknown>;
  readonly close: () => Promise<void>;
}

/**
 * Opens the forwards, here or in the session that is there, runs the command, and closes them. What there is to say goes
 * to standard error, and without `-v` only what failed. Fulfils with the command's status; throws as `open` does, and a
 * `CommandError` for a command that cannot be run.
 */
export async function exec(command: ExecCommand, { stderr }: Screens = process): Promise<number> {
  const stop = catchStopSignals();
  const output = plainOutput({ json: false, ...loudness(command) }, { stdout: stderr, stderr });
  let opened: Opened | undefined;
  try {
    opened = await open(command, output, stop);
    if (opened === undefined || stop.received !== undefined) return signalStatus(stop.received ?? 'SIGINT');
    void opened.ended.then((error) => {
      if (!(error instanceof TunnelError)) return;
      for (const line of errorLines(error, painter(stderr))) stderr.write(`${line}\n`);
    });
    return await run(command.command, execVariables(opened.forwards));
  } catch (error) {
    // What fails because it was told to stop is not a failure.
    if (opened === undefined && stop.received !== undefined) return signalStatus(stop.received);
    throw error;
  } finally {
    await opened?.close();
    output.close();
  }
}

function loudness({ verbosity }: ExecCommand): { quiet: boolean; verbosity: number } {
  return { quiet: verbosity === 0, verbosity };
}

/** Undefined after a second signal. */
async function open(command: ExecCommand, output: Output, stop: StopSignals): Promise<Opened | undefined> {
  const ask = askBetween(output, askWith(terminalAsk(stop.interrupt)));
  const forwards: ForwardView[] = [];
  const opening = begin(
    { ...command, name: 'open', detach: false, browse: false },
    {
      ...(ask && { ask }),
      onEvent(event) {
        if (event.type === 'closed') return;
        if (event.type === 'forward') forwards.push(event.forward);
        output.event(event);
      },
      signal: stop.first,
      trace: command.verbosity > 1,
    },
  );
  const begun = await Promise.race([opening, aborted(stop.second)]);
  if (begun === undefined) return undefined;
  return begun.kept === undefined ? await join(begun, output) : await keep(begun.kept, forwards, stop);
}

async function keep(
  session: KeptSession,
  forwards: readonly ForwardView[],
  stop: StopSignals,
): Promise<Opened> {
  await Promise.race([whenOpen(session), aborted(stop.second)]);
  let closing = false;
  return {
    forwards,
    ended: session.closed.then((error) => (closing ? undefined : error)),
    close: async () => {
      closing = true;
      await session.close({ graceMs: GRACE_MS });
    },
  };
}

/** The forwards go with the stream of events, as those of `tunnel HOST SPEC` do. */
async function join({ name, plan }: Elsewhere, output: Output): Promise<Opened> {
  const client = new ControlClient(controlSocketPath(name));
  for (const message of mismatches(await client.status(), plan)) output.event({ type: 'warning', message });
  const wanted = plan.forwards.map(withAbsolutePlaces);
  const flags = wanted.map(formatFlag);
  const stream = await client.follow();
  try {
    let closing = false;
    const ended = show(
      undefined,
      stream,
      name,
      output,
      (event) => 'forward' in event && flags.includes(formatFlag(event.forward.spec)),
    );
    const { added, already } = await client.add(wanted, { lease: stream.lease });
    remember(name, plan.forwards);
    const forwards = [...added, ...already].map(readForward);
    const place = ({ spec }: ForwardView): number => flags.indexOf(formatFlag(spec));
    return {
      forwards: forwards.toSorted((a, b) => place(a) - place(b)),
      ended: ended.then((error) => (closing ? undefined : error)),
      close: async () => {
        closing = true;
        stream.close();
      },
    };
  } catch (error) {
    stream.close();
    throw error;
  }
}

/** A command that cannot be run, with the status that a shell has for it. */
class CommandError extends TunnelError {
  readonly exitStatus: number;

  constructor(file: string, cause: Error) {
    const missing = systemCode(cause) === 'ENOENT';
    super(
      missing ? 'command-not-found' : 'command-not-run',
      `Cannot run ${file}: ${missing ? 'command not found' : cause.message}`,
      { cause },
    );
    this.exitStatus = missing ? 127 : 126;
  }
}

async function run([file = '', ...args]: readonly string[], variables: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(file, args, { stdio: 'inherit', env: variables });
  const pass = (signal: NodeJS.Signals): void => {
    if (!(FROM_TERMINAL.includes(signal) && ownsTerminal())) child.kill(signal);
  };
  for (const signal of PASSED) process.on(signal, pass);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', (error) => reject(new CommandError(file, error)));
      child.once('exit', (status, signal) => {
        resolve(signal === null ? (status ?? 1) : 128 + constants.signals[signal]);
      });
    });
  } finally {
    for (const signal of PASSED) process.off(signal, pass);
  }
}
