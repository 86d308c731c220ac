import { setTimeout as delay } from 'node:timers/promises';
import { ControlClient } from '../../session/control/client.ts';
import { hostSession, type HostedSession, type HostOptions } from '../../session/control/host.ts';
import { controlSocketPath, isAlive, sessionName } from '../../session/control/socket.ts';
import { planSession, type SessionPlan } from '../../session/plan.ts';
import type { OpenCommand } from '../command.ts';
import { remember } from './remember.ts';

/** How often it is looked whether a session that ends has ended. */
const ENDING_PAUSE_MS = 50;

/** What a command needs of the session that it keeps. */
export type KeptSession = Pick<
  HostedSession,
  'opened' | 'closed' | 'stopped' | 'traffic' | 'close' | 'retry'
>;

/** What another process is to be asked for, which has the session. */
export interface Elsewhere {
  readonly kept?: undefined;
  readonly name: string;
  readonly plan: SessionPlan;
}

/** The session that this process keeps from now on, unless another process has it. */
export type Beginning = { readonly kept: KeptSession } | Elsewhere;

export type Begin = (command: OpenCommand, options: HostOptions) => Promise<Beginning>;

/** Finds out what is configured, and begins to open the session unless another process has it. */
export const begin: Begin = async (command, options) => {
  const { destination, ssh, forwards, transport, life, vpn } = command;
  // ssh -G may take its time: a Match exec, a name server.
  options.onEvent?.({ type: 'connecting', host: destination.host, phase: 'resolving' });
  const plan = await planSession({
    destination,
    flags: ssh,
    transport,
    ...(forwards && { forwards }),
    ...(vpn && { vpn }),
    ...(options.signal && { signal: options.signal }),
  });
  const name = sessionName(destination, ssh);
  for (;;) {
    const kept = await hostSession(plan, name, { ...life, ...options });
    if (kept !== undefined) {
      kept.opened().then(
        () => remember(name, plan.forwards),
        () => undefined,
      );
      return { kept };
    }
    if (!(await isEnding(name))) return { name, plan };
    await delay(ENDING_PAUSE_MS, undefined, options.signal && { signal: options.signal });
  }
};

/** Rejects with what the session could not be opened for, once those who wait on its control socket have heard it. */
export async function whenOpen(session: Pick<KeptSession, 'opened' | 'closed'>): Promise<void> {
  try {
    await session.opened();
  } catch (error) {
    await session.closed;
    throw error;
  }
}

/** Whether the session of the other process is about to make room for another. */
async function isEnding(name: string): Promise<boolean> {
  const path = controlSocketPath(name);
  try {
    const { state } = await new ControlClient(path).status();
    return state === 'closing' || state === 'closed';
  } catch (error) {
    // Its process may be at its very end.
    await delay(ENDING_PAUSE_MS);
    if (await isAlive(path)) throw error;
    return true;
  }
}
