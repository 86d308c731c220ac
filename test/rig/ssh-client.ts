import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyPair } from './ssh-keys.ts';

export interface SshClientOptions {
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  readonly identity: KeyPair;
  readonly hostKeys: readonly KeyPair[];
  /** The `Host` in ssh_config; default `vps`. */
  readonly name?: string;
  /** False: known_hosts is empty. */
  readonly known?: boolean;
  /** More lines for this host, put first, where they win. */
  readonly config?: readonly string[];
}

/** What a client needs to log in: everything that would otherwise be looked for in ~/.ssh. */
export interface SshClient {
  readonly name: string;
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  readonly configFile: string;
  readonly knownHostsFile: string;
  readonly identityFile: string;
  /** `-F configFile`: ssh looks for its configuration in the home that passwd names, whatever $HOME says. */
  readonly flags: readonly string[];
}

/** Writes `NAME.config` and `NAME.known_hosts` into `dir`. */
export function writeSshClient(dir: string, options: SshClientOptions): SshClient {
  const { hostname, port, user, identity, name = 'vps' } = options;
  const configFile = join(dir, `${name}.config`);
  const knownHostsFile = join(dir, `${name}.known_hosts`);
  const address = port === 22 ? hostname : `[${hostname}]:${port}`;
  const keys = options.known === false ? [] : options.hostKeys;
  writeFileSync(knownHostsFile, keys.map(({ publicKey }) => `${address} ${publicKey}\n`).join(''));
  const lines = [
    ...(options.config ?? []),
    `HostName ${hostname}`,
    `Port ${port}`,
    `User ${user}`,
    `IdentityFile ${identity.file}`,
    'IdentitiesOnly yes',
    'IdentityAgent none',
    `UserKnownHostsFile ${knownHostsFile}`,
    'GlobalKnownHostsFile /dev/null',
  ];
  writeFileSync(configFile, `Host ${name}\n${lines.map((line) => `  ${line}\n`).join('')}`);
  return {
    name,
    hostname,
    port,
    user,
    configFile,
    knownHostsFile,
    identityFile: identity.file,
    flags: ['-F', configFile],
  };
}
