import { ConnectionLostError } from '../../errors.ts';
import { ControlClient, type EventStream } from '../../session/control/client.ts';
import { controlSocketPath } from '../../session/control/socket.ts';
import type { SessionStatus } from '../../session/control/status.ts';
import type { SessionEvent } from '../../session/events.ts';
import type { SessionPlan } from '../../session/plan.ts';
import { readForward } from '../../session/report.ts';
import type { Traffic } from '../../session/session.ts';
import { withAbsolutePlaces } from '../../session/http-spec.ts';
import { shellWord } from '../../shell-word.ts';
import { formatFlag } from '../../spec.ts';
import { version } from '../../version.ts';
import { onEnter } from '../enter.ts';
import type { Output } from '../output/output.ts';
import { aborted } from '../signals.ts';
import { remember } from './remember.ts';

const POLL_MS = 1000;

/** A session that another process has, and what is to be open there. */
export interface Joined {
  readonly name: string;
  readonly plan: SessionPlan;
}

/**
 * Adds the forwards to the session of another process for as long as this one runs. Fulfils when `signal` is aborted,
 * or with the error that ended the session; throws what the session refuses.
 */
export async function join({ name, plan }: Joined, output: Output, signal: AbortSignal): Promise<unknown> {
  const client = new ControlClient(controlSocketPath(name));
  const status = await client.status();
  for (const message of mismatches(status, plan)) output.event({ type: 'warning', message });
  const forwards = plan.forwards.map(withAbsolutePlaces);
  const ours = new Set(forwards.map(formatFlag));
  const stream = await client.follow();
  const following = show(
    client,
    stream,
    name,
    output,
    (event) => !('forward' in event) || ours.has(formatFlag(event.forward.spec)),
  );
  try {
    const added = await Promise.race([
      client.add(forwards, { lease: stream.lease, signal }),
      aborted(signal),
    ]);
    if (added === undefined) return undefined;
    remember(name, plan.forwards);
    for (const { spec } of added.already) output.note(`${name} has ${spec} open already`);
    return await watched(client, ours, output, Promise.race([following, aborted(signal)]));
  } finally {
    stream.close();
  }
}

/** Shows the events of a session until it ends; with a client, Enter has it connect now while it waits. Fulfils with the error that ended it. */
export async function show(
  client: Pick<ControlClient, 'retry'> | undefined,
  { events }: EventStream,
  name: string,
  output: Output,
  wanted: (event: SessionEvent) => boolean,
): Promise<unknown> {
  // What comes of it is among the events.
  const enter = client && onEnter(() => void client.retry().catch(() => undefined));
  try {
    for await (const event of events) {
      enter?.follow(event);
      if (event.type === 'closed') return event.error ?? endedElsewhere(event.host);
      if (wanted(event)) output.event(event);
    }
  } catch (error) {
    return lost(name, error);
  } finally {
    enter?.close();
  }
  return lost(name, undefined);
}

/** Shows the traffic of those forwards of a session until `end`, which is returned. */
export async function watched<T>(
  client: ControlClient,
  flags: ReadonlySet<string> | undefined,
  output: Output,
  end: Promise<T>,
): Promise<T> {
  let traffic: Traffic = { open: 0, total: 0, bytesUp: 0, bytesDown: 0 };
  const poll = async (): Promise<void> => {
    // The stream of events tells when the session has gone.
    const status = await client.status().catch(() => undefined);
    if (status !== undefined) traffic = sum(status, flags);
  };
  await poll();
  output.watch(() => traffic);
  const timer = setInterval(() => void poll(), POLL_MS);
  try {
    return await end;
  } finally {
    clearInterval(timer);
  }
}

function sum({ forwards }: SessionStatus, flags: ReadonlySet<string> | undefined): Traffic {
  const total = { open: 0, total: 0, bytesUp: 0, bytesDown: 0 };
  for (const forward of forwards) {
    if (flags !== undefined && !flags.has(formatFlag(readForward(forward).spec))) continue;
    total.open += forward.open;
    total.total += forward.total;
    total.bytesUp += forward.bytesUp;
    total.bytesDown += forward.bytesDown;
  }
  return total;
}

/** What is other in the session than it would be in a new one. */
export function mismatches(status: SessionStatus, plan: Pick<SessionPlan, 'fingerprint'>): string[] {
  const renew = `tunnel stop ${status.name}, and open it again, to use the new one.`;
  return [
    ...(status.version === version
      ? []
      : [
          `The session with ${status.name} runs version ${status.version}, and this is ${version}.\n${renew}`,
        ]),
    ...(status.fingerprint === plan.fingerprint
      ? []
      : [`The session with ${status.name} was opened with another configuration or other flags.\n${renew}`]),
  ];
}

function endedElsewhere(host: string): ConnectionLostError {
  return new ConnectionLostError('session-ended', `The session with ${host} was ended by another process`);
}

function lost(name: string, cause: unknown): ConnectionLostError {
  return new ConnectionLostError('session-ended', 'The process that had the session is gone', {
    ...(cause !== undefined && { cause }),
    hint: [`Its log: tunnel logs ${shellWord(name)}`],
  });
}
