import type { HostSettings } from '../config/settings.ts';
import type { SshContext } from './context.ts';
import { fingerprint, keyType } from './known-hosts-key.ts';
import type { KnownHostsName, Verdict } from './known-hosts.ts';

/** For whoever switched the checking off and meets a changed key. */
export const NO_IS_NOT_ENOUGH = 'StrictHostKeyChecking no accepts new keys here, but none that has changed.';

/** Asks whether an unknown key is right, as ssh does (sshconnect.c): yes, no, or the fingerprint itself. */
export async function askAboutKey(
  key: Buffer,
  { name }: KnownHostsName,
  { otherNames }: Extract<Verdict, { kind: 'unknown' }>,
  { alias }: HostSettings,
  { ask, signal }: SshContext,
): Promise<boolean> {
  const print = fingerprint(key);
  const others = otherNames.map(
    (other) => `  ${other.file}:${other.line}: ${other.hosts ?? '[hashed name]'}`,
  );
  let text = [
    `The authenticity of host '${alias} (${name})' can't be established.`,
    `${shortType(key)} key fingerprint is ${print}.`,
    ...(others.length === 0
      ? ['This key is not known by any other names.']
      : ['This host key is known by the following other names/addresses:', ...others]),
    'Are you sure you want to continue connecting (yes/no/[fingerprint])? ',
  ].join('\n');
  for (;;) {
    const answer = (await ask?.({ text, echo: true }, signal))?.trim();
    if (answer === undefined || answer.toLowerCase() === 'no') return false;
    if (answer.toLowerCase() === 'yes' || answer === print) return true;
    text = "Please type 'yes', 'no' or the fingerprint: ";
  }
}

/** `ED25519`, `RSA`, `ECDSA`: the name that ssh shows. */
export function shortType(key: Buffer): string {
  return /(ed25519|ecdsa|rsa)/.exec(keyType(key))?.[1]?.toUpperCase() ?? keyType(key);
}
