import type { HostSettings } from '../config/settings.ts';
import type { Carrier } from './honoured.ts';
import { jumpHosts } from './jump-hosts.ts';
import { findLiveMaster } from './openssh/live-master.ts';
import { needsOpenSsh, type ChoiceContext } from './transport-choice.ts';
import type { TransportName } from './transport-name.ts';

export interface ChosenTransport {
  readonly carrier: Carrier;
  /** A phrase for a person. */
  readonly reason: string;
}

/**
 * What is to carry a session: what is asked for; else a master of ssh that is logged in already, or the ssh program
 * where the host or one of its jump hosts needs it; else ssh2. Throws the reason of `context.signal`, and a `UsageError`
 * for jump hosts that lead back to themselves.
 */
export async function chooseTransport(
  settings: HostSettings,
  wanted: TransportName,
  context: ChoiceContext,
): Promise<ChosenTransport> {
  if (wanted !== 'auto') return { carrier: wanted, reason: `--transport ${wanted} asks for it` };
  const reason = (await whyOpenSsh(settings, context)) ?? (await whyOpenSshForJumps(settings, context));
  return reason === undefined
    ? { carrier: 'ssh2', reason: 'nothing here needs the ssh program' }
    : { carrier: 'openssh', reason };
}

async function whyOpenSsh(settings: HostSettings, context: ChoiceContext): Promise<string | undefined> {
  context.signal?.throwIfAborted();
  return (await liveMaster(settings, context)) ?? (await needsOpenSsh(settings, context));
}

async function liveMaster(settings: HostSettings, context: ChoiceContext): Promise<string | undefined> {
  const master = await findLiveMaster(settings, context);
  master?.end();
  return master && `an ssh that is logged in answers on ${master.controlPath}`;
}

/** A connection is carried by one transport from end to end. */
async function whyOpenSshForJumps(host: HostSettings, context: ChoiceContext): Promise<string | undefined> {
  for await (const { name, settings } of jumpHosts(host, context.signal)) {
    const reason = await whyOpenSsh(settings, context);
    if (reason !== undefined) return `of the jump host ${name}: ${reason}`;
  }
  return undefined;
}
