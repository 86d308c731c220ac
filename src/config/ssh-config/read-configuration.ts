import { isIP, SocketAddress } from 'node:net';
import { join, resolve } from 'node:path';
import type { LocalEnvironment } from '../local-environment.ts';
import type { Destination, SshFlags } from '../settings.ts';
import { configError, NEEDS_OPENSSH } from './config-error.ts';
import { ConfigReader } from './config-reader.ts';
import { DEFAULT_OPTIONS } from './defaults.ts';
import { expandAsSsh } from './expand-as-ssh.ts';
import { tokensFor } from './host-settings.ts';
import type { ResolvedOptions } from './resolved-options.ts';

/**
 * Reads the configuration as ssh does, for where there is no ssh to ask: the command line, then the user's file, then
 * the system's one; of each option the first value counts. Throws a `UsageError` ('ssh-config') that names file, line
 * and key, also for what only ssh itself can decide and what would matter.
 */
export async function readConfiguration(
  destination: Destination,
  flags: SshFlags,
  local: LocalEnvironment,
): Promise<ResolvedOptions> {
  const reader = new ConfigReader(destination.host, local);
  setFlags(reader, destination, flags);
  await readFiles(reader, flags.configFile, local);
  reader.options.set('hostname', [canonicalAddress(reader.hostname())]);
  if (reader.wantsFinal) {
    reader.final = true;
    await readFiles(reader, flags.configFile, local);
  }
  refuseCanonicalNames(reader);
  return complete(reader, destination.host, local);
}

function setFlags(reader: ConfigReader, destination: Destination, flags: SshFlags): void {
  const set = (name: string, value: string | undefined): void => {
    if (value !== undefined) reader.set(name, [value]);
  };
  set('port', flags.port?.toString());
  set('user', flags.user);
  if (flags.identityFiles?.length) reader.set('identityfile', flags.identityFiles);
  set('proxyjump', flags.jump);
  set('compression', flags.compression ? 'yes' : undefined);
  set('addressfamily', flags.addressFamily);
  for (const option of flags.options ?? []) reader.readCommandLine(option);
  set('user', destination.user);
  set('port', destination.port?.toString());
}

async function readFiles(
  reader: ConfigReader,
  named: string | undefined,
  local: LocalEnvironment,
): Promise<void> {
  if (named?.toLowerCase() === 'none') return;
  if (named !== undefined) return reader.readUserFile(resolve(local.directory, named), true);
  await reader.readUserFile(join(local.home, '.ssh', 'config'), false);
  await reader.readSystemFile();
}

/** Names are lowercased, addresses written the shortest way (ssh.c, main and resolve_addr). */
function canonicalAddress(hostname: string): string {
  if (isIP(hostname) !== 6 || hostname.includes('%')) return hostname.toLowerCase();
  return new SocketAddress({ family: 'ipv6', address: hostname }).address;
}

function refuseCanonicalNames(reader: ConfigReader): void {
  if ((reader.first('canonicalizehostname') ?? 'false') === 'false') return;
  const place = { file: 'ssh_config', key: 'CanonicalizeHostname' };
  throw configError(place, 'names can be made canonical by OpenSSH alone, which is not on the PATH', [
    NEEDS_OPENSSH,
  ]);
}

/** What ssh does after reading: switches that change others, tokens, and defaults (readconf.c, fill_default_options). */
function complete(reader: ConfigReader, alias: string, local: LocalEnvironment): ResolvedOptions {
  const { options, warnings } = reader;
  dropNone(options);
  if (reader.first('clearallforwardings') === 'yes') {
    for (const name of ['localforward', 'remoteforward', 'dynamicforward']) options.delete(name);
  }
  if (!options.has('updatehostkeys') && !updatesHostKeys(reader)) options.set('updatehostkeys', ['false']);
  const hostKeyAlias = reader.first('hostkeyalias')?.toLowerCase();
  if (hostKeyAlias !== undefined) options.set('hostkeyalias', [hostKeyAlias]);

  const defaults = new Map([
    ...DEFAULT_OPTIONS,
    ['user', [local.user]],
    ['hostname', [canonicalAddress(alias)]],
  ] as const);
  const all = new Map([...defaults, ...options]);
  const tokens = tokensFor(alias, all, local);
  return {
    options: expandAsSsh(all, tokens, local),
    defaults: expandAsSsh(defaults, tokens, local),
    warnings,
  };
}

/** Options in which "none" takes back what a later line might say. */
const CLEARED_BY_NONE = [
  'controlpath',
  'knownhostscommand',
  'localcommand',
  'pkcs11provider',
  'proxycommand',
  'proxyjump',
  'remotecommand',
  'revokedhostkeys',
  'securitykeyprovider',
];

function dropNone(options: Map<string, string[]>): void {
  for (const name of CLEARED_BY_NONE) {
    if (options.get(name)?.[0]?.toLowerCase() === 'none') options.delete(name);
  }
}

/** By default only where nobody has chosen another way to know host keys. */
function updatesHostKeys(reader: ConfigReader): boolean {
  const files = reader.first('userknownhostsfile') ?? '~/.ssh/known_hosts';
  return files === '~/.ssh/known_hosts' && (reader.first('verifyhostkeydns') ?? 'false') === 'false';
}
