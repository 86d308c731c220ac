import type { HostSettings } from '../config/settings.ts';
import type { SshContext } from './context.ts';
import { appendKnownHost } from './known-hosts-append.ts';
import { fingerprint, keyType } from './known-hosts-key.ts';
import { matchesHosts, type KnownKey } from './known-hosts-line.ts';
import { readKnownKeys, warnedOnce, type KnownHostsName } from './known-hosts.ts';

/** The names that a host's keys are stored under: its own and, with CheckHostIP, that of its address. */
export type StoredNames = readonly [host: KnownHostsName, address: KnownHostsName | undefined];

/**
 * Learns the keys that a server has announced and proved to hold (hostkeys-00@openssh.com, OpenSSH PROTOCOL, section
 * 2.5), where ssh would (clientloop.c, client_input_hostkeys). For a server whose key the person has accepted only.
 *
 * Unlike ssh it does not remove the keys that the server no longer has: known_hosts is only ever appended to.
 */
export async function learnHostKeys(
  announced: readonly Buffer[],
  names: StoredNames,
  settings: HostSettings,
  context: SshContext,
): Promise<void> {
  const known = await readKnownKeys(settings.userKnownHostsFiles, warnedOnce(context));
  const { keys, obstacle } = compare(acceptable(announced, settings), known, names);
  const told = (what: string): void => context.debug(`UpdateHostKeys: ${what}`);
  const file = settings.userKnownHostsFiles[0];
  if (obstacle !== undefined || file === undefined) return told(obstacle ?? 'there is no known_hosts file');
  if (keys.length === 0) return told('the server has no new host keys');
  if (settings.updateHostKeys === 'ask' && !(await isWanted(keys, settings, context)))
    return told('nobody accepted the new host keys');
  for (const key of keys) {
    for (const name of names) {
      if (name) await appendKnownHost(file, name, key, { hash: settings.hashKnownHosts });
    }
  }
  told(`added to ${file}: ${keys.map(describe).join(', ')}`);
}

function acceptable(announced: readonly Buffer[], { hostKeyAlgorithms }: HostSettings): Buffer[] {
  const accepted = hostKeyAlgorithms?.map((name) => name.replace(/^rsa-sha2-(?:256|512)$/, 'ssh-rsa'));
  return announced.filter((key) => accepted === undefined || accepted.includes(keyType(key)));
}

/** The keys that are new, or why none of them must be added. */
function compare(
  announced: readonly Buffer[],
  known: readonly KnownKey[],
  [host, address]: StoredNames,
): { keys: readonly Buffer[]; obstacle?: string } {
  const own = known.filter(({ hosts }) =>
    [host, address].some((name) => name !== undefined && matchesHosts(hosts, name.name)),
  );
  const others = known.filter((line) => !own.includes(line));
  const refused = (line: KnownKey, why: string): { keys: []; obstacle: string } => ({
    keys: [],
    obstacle: `nothing is added, since ${line.file}:${line.line} ${why}`,
  });
  const complex = own.find(({ marker, hosts }) => marker !== 'none' || /[*?]|,.*,/.test(hosts));
  if (complex) return refused(complex, 'is for more than this one host');
  const half = own.find(({ hosts }) => address && hosts.includes(',') && !isForBoth(hosts, host, address));
  if (half) return refused(half, 'has the name with another address');
  // Keys that the server no longer has count as well: hosts with several names would drift apart.
  const elsewhere = others.find(({ key }) =>
    [...announced, ...own.map((line) => line.key)].some((one) => one.equals(key)),
  );
  if (elsewhere) return refused(elsewhere, 'has one of the keys under another name');
  return { keys: announced.filter((key) => !own.some((line) => line.key.equals(key))) };
}

function isForBoth(hosts: string, host: KnownHostsName, address: KnownHostsName): boolean {
  return matchesHosts(hosts, host.name) && matchesHosts(hosts, address.name);
}

async function isWanted(
  keys: readonly Buffer[],
  { alias }: HostSettings,
  context: SshContext,
): Promise<boolean> {
  const text = [
    `${alias} has updated its host keys.`,
    'These changes were verified by the existing trusted key.',
    ...keys.map((key) => `Learned new hostkey: ${describe(key)}`),
    'Accept updated hostkeys? (yes/no): ',
  ].join('\n');
  const answer = await context.ask?.({ text, echo: true, confirm: true }, context.signal);
  return answer?.trim().toLowerCase() === 'yes';
}

function describe(key: Buffer): string {
  return `${keyType(key)} ${fingerprint(key)}`;
}
