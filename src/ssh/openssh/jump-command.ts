import { parseDestination } from '../../config/destination.ts';
import type { HostSettings } from '../../config/settings.ts';
import { shellQuoted } from '../../shell-word.ts';
import { lastHop, refuseLoop } from '../jump-hosts.ts';

/**
 * A ProxyCommand that reaches a host as its ProxyJump would, where that would not do: under StrictHostKeyChecking no, ssh
 * goes on with a key that has changed, and the one that it starts for a jump host hears nothing of what we tell ours
 * (ssh.c hands on `-F` alone). Undefined where ssh does the right thing. Throws a `UsageError` for a loop.
 */
export async function jumpCommand(
  host: HostSettings,
  signal: AbortSignal,
  jumps = 0,
): Promise<string | undefined> {
  refuseLoop(host, jumps);
  const hop = await lastHop(host, signal);
  if (hop === undefined) return undefined;
  const { strictHostKeyChecking: strict } = hop.settings;
  const further = await jumpCommand(hop.settings, signal, jumps + 1);
  if (strict !== 'no' && further === undefined) return undefined;
  const { host: name, user, port } = parseDestination(hop.name);
  const { configFile } = host.jumpFlags;
  const before = host.proxyJump.slice(0, -1).join(',');
  const words = [
    ...(configFile === undefined ? [] : ['-F', configFile]),
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(strict === 'no' ? ['-o', 'StrictHostKeyChecking=accept-new'] : []),
    ...(further === undefined ? [] : proxyCommandOptions(further)),
    ...(further === undefined && before !== '' ? ['-J', before] : []),
  ];
  // What is not a token of ours must not be taken for one.
  const [options, destination] = [words, [name]].map((list) =>
    list.map((word) => shellQuoted(word).replaceAll('%', '%%')).join(' '),
  );
  return `ssh ${options} -W '[%h]:%p' -- ${destination}`;
}

/** For an ssh that is to run `command` instead of what its configuration says of jumps. */
export function proxyCommandOptions(command: string): string[] {
  return ['-o', `ProxyCommand=${command}`, '-o', 'ProxyUseFdpass=no'];
}
