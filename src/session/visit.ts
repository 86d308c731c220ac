import { setTimeout as delay } from 'node:timers/promises';
import type { Destination, HostSettings, SshFlags } from '../config/settings.ts';
import { resolveSettings } from '../config/ssh-config.ts';
import { ConnectionLostError } from '../errors.ts';
import { connect } from '../ssh/connect.ts';
import type { SshConnection } from '../ssh/connection.ts';
import type { Ask, Phase } from '../ssh/context.ts';
import type { TransportName } from '../ssh/transport-name.ts';

export interface VisitOptions {
  readonly destination: Destination;
  readonly flags: SshFlags;
  readonly transport: TransportName;
  readonly ask?: Ask;
  readonly warn: (message: string) => void;
  readonly debug: (message: string) => void;
  readonly phase: (phase: Phase) => void;
  readonly signal: AbortSignal;
  /** Adds the messages of the SSH protocol to `debug`. */
  readonly trace?: boolean;
}

/**
 * One connection for a question, without a session around it. Throws a `UsageError`, a `ConnectError`, or the reason of
 * the signal. The caller closes it.
 */
export async function visit(options: VisitOptions): Promise<SshConnection> {
  const { destination, flags, signal, warn } = options;
  options.phase('resolving');
  const settings = await resolveSettings(destination, flags, { signal });
  for (const message of settings.warnings) warn(message);
  return await visitWith(settings, options);
}

/** The same, with the configuration resolved. */
export async function visitWith(
  settings: HostSettings,
  options: Omit<VisitOptions, 'destination'>,
): Promise<SshConnection> {
  const { flags, transport, ask, warn, debug, phase, signal, trace = false } = options;
  const context = { ...(ask && { ask }), ...(trace && { trace: debug }), warn, debug, phase, signal };
  return await connect(settings, flags, context, transport);
}

/** How long a goodbye may take; on a line that is dead nobody answers it. */
const GOODBYE_MS = 1000;

/** Closes the connection, whatever has become of the line. */
export async function hangUp(connection: SshConnection): Promise<void> {
  const late = new AbortController();
  const limit = delay(GOODBYE_MS, 'late', { signal: late.signal }).catch(() => 'in time');
  if ((await Promise.race([connection.close(), limit])) === 'late') {
    connection.abandon(new ConnectionLostError('no-answer', 'The server did not answer a goodbye'));
  }
  late.abort();
}
