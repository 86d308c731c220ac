import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { localEnvironment } from '../config/local-environment.ts';
import type { HostSettings } from '../config/settings.ts';
import { tokensFor } from '../config/ssh-config/host-settings.ts';
import { expandOption } from '../config/tokens.ts';
import type { SshContext } from './context.ts';
import { askKnownHostsCommand } from './known-hosts-command.ts';
import type { KnownKey } from './known-hosts-line.ts';
import { knownHostsName, loadKnownHosts } from './known-hosts.ts';
import { Agent } from './ssh2/agent.ts';
import { lackingAlgorithms } from './ssh2/algorithms.ts';
import { readKeyFile } from './ssh2/key-file.ts';

/** Options that ssh2 has nothing for, by how they are written. Set to something else than ssh's default they count. */
const BEYOND_SSH2 = [
  'PKCS11Provider',
  'SecurityKeyProvider',
  'HostbasedAuthentication',
  'VerifyHostKeyDNS',
  'RevokedHostKeys',
  'RequiredRSASize',
  'ProxyUseFdpass',
  'BindInterface',
];

/** How long a KnownHostsCommand may take before the choice is made without it. */
const COMMAND_LIMIT_MS = 5000;

export type ChoiceContext = Pick<SshContext, 'warn' | 'debug'> & Partial<Pick<SshContext, 'signal'>>;

/**
 * Why a host can be reached with the system's OpenSSH only, as a phrase for a person ("CertificateFile is set");
 * undefined if ssh2 can do what is configured. A live ControlPath master is for others to look for.
 */
export async function needsOpenSsh(
  settings: HostSettings,
  context: ChoiceContext,
): Promise<string | undefined> {
  const option = BEYOND_SSH2.find((name) => isSet(name, settings));
  if (option !== undefined) return `${option} is set`;
  return (
    lackingAlgorithms(settings) ??
    (await namedCertificate(settings)) ??
    (await certificateBeside(settings)) ??
    (await keyForOpenSshAlone(settings)) ??
    (await hostCertificate(settings, context)) ??
    (await kerberosTicket(settings))
  );
}

/** One that is not there is skipped by ssh. It reads FILE or else FILE.pub. */
async function namedCertificate({ alias, options }: HostSettings): Promise<string | undefined> {
  const local = localEnvironment();
  const tokens = tokensFor(alias, options, local);
  for (const value of options.get('certificatefile') ?? []) {
    if (value.toLowerCase() === 'none') continue;
    const path = resolve(local.directory, expandOption('CertificateFile', value, tokens, local));
    if ((await Promise.all([path, `${path}.pub`].map(canRead))).includes(true))
      return 'CertificateFile is set';
  }
  return undefined;
}

/** The key itself may be in the agent alone; ssh finds the certificate by the file's name all the same. */
async function certificateBeside({
  identityFiles,
  identityAgent,
}: HostSettings): Promise<string | undefined> {
  for (const { path } of identityFiles) {
    const certificate = `${path}-cert.pub`;
    if (!(await canRead(certificate))) continue;
    const keys = await Promise.all([path, `${path}.pub`].map(canRead));
    if (keys.includes(true) || identityAgent !== undefined)
      return `there is a certificate for an identity file, ${certificate}`;
  }
  return undefined;
}

/** One that an agent holds signs like any other; without one, ssh2 cannot read the file, or talk to the key's device. */
async function keyForOpenSshAlone({
  identityFiles,
  identityAgent,
}: HostSettings): Promise<string | undefined> {
  for (const file of identityFiles) {
    const { privateKey, publicKey } = await readKeyFile(file);
    if (privateKey?.forOpenSsh === undefined || publicKey === undefined) continue;
    const held = identityAgent === undefined ? [] : await new Agent(identityAgent).keys().catch(() => []);
    if (!held.some((key) => key.publicKey.blob.equals(publicKey.blob)))
      return `${file.path} ${privateKey.forOpenSsh}`;
  }
  return undefined;
}

/** A plain key beside the authority may be an old one: ssh would log in with the certificate. */
async function hostCertificate(settings: HostSettings, context: ChoiceContext): Promise<string | undefined> {
  const files = [...settings.userKnownHostsFiles, ...settings.globalKnownHostsFiles];
  // What is wrong with the files, or with the command, is told when the connection is made.
  const plain = await loadKnownHosts(files, { warn: () => undefined });
  const name = knownHostsName(settings);
  const known = plain.with(await fromCommand(settings, name.name, context));
  return known.knowsAuthority(name)
    ? `the host key of ${name.name} is known by a certificate authority (@cert-authority)`
    : undefined;
}

/** As ssh does before it connects, to know what keys to ask the server for. */
async function fromCommand(
  settings: HostSettings,
  name: string,
  { debug, signal }: ChoiceContext,
): Promise<KnownKey[]> {
  const limit = AbortSignal.timeout(COMMAND_LIMIT_MS);
  const quiet = {
    debug,
    warn: (): void => undefined,
    signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
  };
  try {
    return await askKnownHostsCommand(settings, 'ORDER', name, undefined, quiet);
  } catch (error) {
    signal?.throwIfAborted();
    debug(`KnownHostsCommand: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

/** Some systems switch GSSAPI on for everybody: it only matters to somebody who has a ticket. */
async function kerberosTicket(settings: HostSettings): Promise<string | undefined> {
  const option = ['GSSAPIAuthentication', 'GSSAPIKeyExchange'].find((name) => isSet(name, settings));
  if (option === undefined) return undefined;
  const hasTicket = await new Promise<boolean>((resolve) => {
    execFile('klist', ['-s'], { timeout: 2000 }, (error) => resolve(error === null));
  });
  return hasTicket ? `${option} is set, and there is a Kerberos ticket` : undefined;
}

function isSet(name: string, { configured, options }: HostSettings): boolean {
  const value = options.get(name.toLowerCase())?.[0]?.toLowerCase() ?? 'none';
  return configured.has(name.toLowerCase()) && !['none', 'no', 'false'].includes(value);
}

function canRead(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
