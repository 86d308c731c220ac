import { TunnelError, UsageError } from '../../errors.ts';
import { ControlClient } from '../../session/control/client.ts';
import { controlSocketPath } from '../../session/control/socket.ts';
import { errorReport, eventReport, readForward } from '../../session/report.ts';
import { withAbsolutePlaces } from '../../session/http-spec.ts';
import { askWith } from '../../ssh/askpass.ts';
import type { Ask } from '../../ssh/context.ts';
import { catchStopSignals, aborted, signalStatus } from '../signals.ts';
import type { FromBackground, ToBackground } from './background-messages.ts';
import { begin, type Elsewhere, whenOpen } from './begin.ts';
import { mismatches } from './join.ts';
import { remember } from './remember.ts';

const GRACE_MS = 3000;

/**
 * Keeps a session in the background. The process that started it shows what happens and answers questions until the
 * session is open, over the channel that Node.js gives a child; what was answered stays in this process's memory.
 */
export async function background(): Promise<number> {
  if (process.send === undefined) {
    throw new UsageError('not-for-people', 'tunnel background is started by tunnel -d', {
      hint: ['Write: tunnel vps 8081 -d'],
    });
  }
  const stop = catchStopSignals(['SIGINT', 'SIGTERM']);
  const starter = new Starter();
  const command = await starter.command;
  const end = AbortSignal.any([stop.first, starter.gone]);
  const begun = await begin(command, {
    ask: starter.ask,
    onEvent: (event) =>
      event.type !== 'closed' && starter.tell({ type: 'event', report: eventReport(event) }),
    signal: end,
    trace: command.verbosity > 1,
  }).catch((error: unknown) => starter.fail(error));
  if (begun === undefined) return 1;
  if (begun.kept === undefined) {
    const status = await addTo(begun, starter, end);
    return stop.received === undefined ? status : signalStatus(stop.received);
  }

  const { kept } = begun;
  process.on('SIGHUP', () => void kept.retry());
  try {
    await whenOpen(kept);
  } catch (error) {
    return kept.stopped ? (starter.stopped(), 0) : (starter.fail(error), 1);
  }
  starter.finish(process.pid);
  const error = await Promise.race([kept.closed, aborted(stop.first)]);
  if (stop.received === undefined) return error === undefined ? 0 : 255;
  await kept.close({ graceMs: GRACE_MS });
  return signalStatus(stop.received);
}

/** Another process has the session: what is to be open stays open there. */
async function addTo({ name, plan }: Elsewhere, starter: Starter, signal: AbortSignal): Promise<number> {
  try {
    const client = new ControlClient(controlSocketPath(name));
    for (const message of mismatches(await client.status(), plan)) {
      starter.tell({ type: 'event', report: eventReport({ type: 'warning', message }) });
    }
    const { added, already } = await client.add(plan.forwards.map(withAbsolutePlaces), { signal });
    remember(name, plan.forwards);
    for (const forward of [...added, ...already]) {
      starter.tell({
        type: 'event',
        report: eventReport({ type: 'forward', forward: readForward(forward) }),
      });
    }
    for (const { spec } of already)
      starter.tell({ type: 'note', message: `${name} has ${spec} open already` });
    starter.finish((await client.status()).pid);
    return 0;
  } catch (error) {
    return (starter.fail(error), 1);
  }
}

/** The process that started this one, while it listens. */
class Starter {
  readonly command: Promise<(ToBackground & { type: 'open' })['command']>;
  /** Aborted when it has gone before it was told the end. */
  readonly gone: AbortSignal;
  readonly #answers = new Map<number, (answer: string | undefined) => void>();
  #questions = 0;
  #finished = false;

  constructor() {
    const gone = new AbortController();
    this.gone = gone.signal;
    let open!: (command: (ToBackground & { type: 'open' })['command']) => void;
    this.command = new Promise((resolve) => {
      open = resolve;
    });
    process.on('message', (message: ToBackground) => {
      if (message.type === 'open') open(message.command);
      else this.#answers.get(message.id)?.(message.answer);
    });
    process.on('disconnect', () => {
      for (const answer of this.#answers.values()) answer(undefined);
      if (!this.#finished) gone.abort(new Error('The process that started this one has gone'));
    });
  }

  /** The person in front of the starting process; later only a program that SSH_ASKPASS names can ask. */
  readonly ask: Ask = async (question, signal) => {
    if (!process.connected) return await askWith(undefined)?.(question, signal);
    const id = (this.#questions += 1);
    const answer = new Promise<string | undefined>((resolve) => this.#answers.set(id, resolve));
    this.tell({ type: 'question', id, question });
    return await answer.finally(() => this.#answers.delete(id));
  };

  tell(message: FromBackground): void {
    if (process.connected) process.send?.(message);
  }

  fail(error: unknown): undefined {
    const why = error instanceof Error ? error.message : String(error);
    const report =
      error instanceof TunnelError
        ? errorReport(error)
        : { code: 'internal-error', message: `Internal error: ${why}`, hint: [], exitStatus: 1 };
    this.tell({ type: 'failed', error: report });
    this.#leave();
  }

  finish(pid: number): void {
    this.tell({ type: 'opened', pid });
    this.#leave();
  }

  stopped(): void {
    this.tell({ type: 'stopped' });
    this.#leave();
  }

  #leave(): void {
    this.#finished = true;
    if (process.connected) process.disconnect();
  }
}
