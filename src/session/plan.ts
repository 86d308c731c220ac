import { createHash } from 'node:crypto';
import { chosenForwards, isOn } from '../config/forwards.ts';
import type { Destination, HostSettings, SshFlags } from '../config/settings.ts';
import { resolveSettings } from '../config/ssh-config.ts';
import { UsageError } from '../errors.ts';
import type { ForwardSpec } from '../spec.ts';
import type { TransportName } from '../ssh/transport-name.ts';

export interface PlanOptions {
  readonly destination: Destination;
  readonly flags?: SshFlags;
  /** Absent: what the host's LocalForward, RemoteForward and DynamicForward lines say. */
  readonly forwards?: readonly ForwardSpec[];
  /** Default `auto`. */
  readonly transport?: TransportName;
  /** Gives up finding out what is configured. */
  readonly signal?: AbortSignal;
}

/** What a session is to do, with the host's configuration resolved. */
export interface SessionPlan {
  readonly settings: HostSettings;
  readonly flags: SshFlags;
  readonly transport: TransportName;
  readonly forwards: readonly ForwardSpec[];
  /** As in ssh, a line of the configuration that fails is a warning; what was typed is opened or there is no session. */
  readonly mayFail: boolean;
  /** Two plans that connect alike have the same one. */
  readonly fingerprint: string;
}

/** ssh never asks by itself whether the server is still there; a session that is to stay up has to. */
const KEEPALIVE = { serverAliveInterval: 15, serverAliveCountMax: 3 };

/** Finds out what is configured. Throws a `UsageError`, also when there would be nothing to open. */
export async function planSession(options: PlanOptions): Promise<SessionPlan> {
  const { destination, flags = {}, transport = 'auto', signal } = options;
  const resolved = await resolveSettings(destination, flags, signal && { signal });
  const settings = resolved.serverAliveInterval > 0 ? resolved : { ...resolved, ...KEEPALIVE };
  const forwards = chosenForwards(settings, options.forwards);
  if (forwards.length === 0 && !isOn(settings, 'clearallforwardings')) throw nothingToOpen(destination);
  return {
    settings,
    flags,
    transport,
    forwards,
    mayFail: options.forwards === undefined && !isOn(settings, 'exitonforwardfailure'),
    fingerprint: fingerprint(settings, transport),
  };
}

function fingerprint({ options }: HostSettings, transport: TransportName): string {
  const text = JSON.stringify([transport, ...[...options].toSorted(([a], [b]) => (a < b ? -1 : 1))]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function nothingToOpen({ host }: Destination): UsageError {
  return new UsageError('nothing-to-open', `Nothing to open on ${host}: no port and no socket is named`, {
    hint: [
      `Name what to open: tunnel ${host} 8081, or tunnel ${host} ~/app/app.sock`,
      'LocalForward, RemoteForward and DynamicForward lines in ~/.ssh/config are opened, too.',
    ],
  });
}
