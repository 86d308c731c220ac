import type { Destination, HostSettings, SshFlags } from '../config/settings.ts';
import { resolveSettings } from '../config/ssh-config.ts';
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
