import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { checkHost, checkUser } from './destination.ts';
import { localEnvironment, type LocalEnvironment } from './local-environment.ts';
import type { Destination, HostSettings, IdentityFile, SshFlags } from './settings.ts';
import { askOpenSsh } from './ssh-config/ask-openssh.ts';
import { readConfigFile } from './ssh-config/config-file.ts';
import { toHostSettings } from './ssh-config/host-settings.ts';
import { readConfiguration } from './ssh-config/read-configuration.ts';

export interface ResolveOptions extends Partial<LocalEnvironment> {
  readonly signal?: AbortSignal;
}

/**
 * Finds out what is configured for a host: from `ssh -G` where OpenSSH is on the PATH, else from the files themselves.
 * Throws a `UsageError` ('ssh-config') that names file, line and key of what cannot be used.
 */
export async function resolveSettings(
  destination: Destination,
  flags: SshFlags,
  { signal, ...given }: ResolveOptions = {},
): Promise<HostSettings> {
  const local: LocalEnvironment = { ...localEnvironment(), ...given };
  checkNames(destination, flags);
  await checkConfigFile(flags, local);
  const { present, missing } = await sortIdentities(flags.identityFiles ?? [], local);
  const usable: SshFlags = { ...flags, identityFiles: present };
  const asked = local.hasAccount ? await askOpenSsh(destination, usable, local, signal) : undefined;
  const resolved = asked ?? (await readConfiguration(destination, usable, local));
  const settings = toHostSettings(destination.host, usable, resolved, local);
  return { ...settings, identityFiles: [...missing, ...settings.identityFiles] };
}

/** Whoever calls: what is substituted into a ProxyCommand must not be able to start another command. */
function checkNames({ host, user }: Destination, flags: SshFlags): void {
  checkHost(host, host);
  for (const name of [user, flags.user]) if (name !== undefined) checkUser(name, name);
}

/** ssh takes a directory for an empty file, and a file that it cannot read for none. */
async function checkConfigFile({ configFile }: SshFlags, local: LocalEnvironment): Promise<void> {
  const isNone = configFile?.toLowerCase() === 'none';
  if (isNone) return;
  const file = resolve(local.directory, configFile ?? `${local.home}/.ssh/config`);
  await readConfigFile(file, { mustBePrivate: false, mustExist: configFile !== undefined });
}

/**
 * ssh forgets a missing `-i` file after a warning and goes on with the others or its defaults. It is kept here for a
 * warning at the right moment.
 */
async function sortIdentities(
  names: readonly string[],
  local: LocalEnvironment,
): Promise<{ present: string[]; missing: IdentityFile[] }> {
  const files = names.map((name) => resolve(local.directory, name.replace(/^~(?=\/)/, local.home)));
  const exists = await Promise.all(
    files.map((file) =>
      access(file).then(
        () => true,
        () => false,
      ),
    ),
  );
  return {
    present: files.filter((_, index) => exists[index]),
    missing: files.filter((_, index) => !exists[index]).map((path) => ({ path, explicit: true })),
  };
}
