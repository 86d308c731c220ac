import { parseDestination } from '../config/destination.ts';
import type { HostSettings } from '../config/settings.ts';
import { resolveSettings } from '../config/ssh-config.ts';
import { UsageError } from '../errors.ts';

/** More jumps than anybody has; a host that jumps through itself ends here. */
const MAX_JUMPS = 8;

export interface JumpHost {
  /** As it is written in the configuration. */
  readonly name: string;
  readonly settings: HostSettings;
}

/**
 * The hosts that a host is reached through, the one that reaches it first. Throws a `UsageError` for a loop.
 */
export async function* jumpHosts(host: HostSettings, signal?: AbortSignal): AsyncGenerator<JumpHost> {
  let hop: JumpHost | undefined = await lastHop(host, signal);
  for (let jumps = 1; hop !== undefined; jumps += 1) {
    refuseLoop(host, jumps);
    yield hop;
    hop = await lastHop(hop.settings, signal);
  }
}

/**
 * The hop that reaches the host itself. As with `ssh -J`, those before it in a list are that hop's own jumps, and the
 * nearest is reached as its own configuration says.
 */
export async function lastHop(
  { proxyJump, jumpFlags }: HostSettings,
  signal?: AbortSignal,
): Promise<JumpHost | undefined> {
  const name = proxyJump.at(-1);
  if (name === undefined) return undefined;
  const before = proxyJump.slice(0, -1);
  const flags = { ...jumpFlags, ...(before.length === 0 ? {} : { jump: before.join(',') }) };
  return { name, settings: await resolveSettings(parseDestination(name), flags, signal && { signal }) };
}

/** Throws a `UsageError` when a host is more jumps away than anybody's. */
export function refuseLoop({ alias }: HostSettings, jumps: number): void {
  if (jumps <= MAX_JUMPS) return;
  throw new UsageError('jump-loop', `${alias} is reached through more than ${MAX_JUMPS} jump hosts`, {
    hint: ['Does a ProxyJump in your ssh_config lead back to itself?'],
  });
}
