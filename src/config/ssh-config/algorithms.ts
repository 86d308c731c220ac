import { matchesPattern, matchesPatternList } from './patterns.ts';

/** OpenSSH's own order of preference (myproposal.h), which `+`, `-` and `^` lists change. */
export const DEFAULT_ALGORITHMS = {
  ciphers: names(`chacha20-poly1305@openssh.com aes128-ctr aes192-ctr aes256-ctr
    aes128-gcm@openssh.com aes256-gcm@openssh.com`),
  macs: names(`umac-64-etm@openssh.com umac-128-etm@openssh.com
    hmac-sha2-256-etm@openssh.com hmac-sha2-512-etm@openssh.com hmac-sha1-etm@openssh.com
    umac-64@openssh.com umac-128@openssh.com hmac-sha2-256 hmac-sha2-512 hmac-sha1`),
  kexalgorithms: names(`sntrup761x25519-sha512 sntrup761x25519-sha512@openssh.com
    curve25519-sha256 curve25519-sha256@libssh.org ecdh-sha2-nistp256 ecdh-sha2-nistp384 ecdh-sha2-nistp521
    diffie-hellman-group-exchange-sha256 diffie-hellman-group16-sha512 diffie-hellman-group18-sha512
    diffie-hellman-group14-sha256`),
  hostkeyalgorithms: names(`ssh-ed25519-cert-v01@openssh.com ecdsa-sha2-nistp256-cert-v01@openssh.com
    ecdsa-sha2-nistp384-cert-v01@openssh.com ecdsa-sha2-nistp521-cert-v01@openssh.com
    sk-ssh-ed25519-cert-v01@openssh.com sk-ecdsa-sha2-nistp256-cert-v01@openssh.com
    rsa-sha2-512-cert-v01@openssh.com rsa-sha2-256-cert-v01@openssh.com
    ssh-ed25519 ecdsa-sha2-nistp256 ecdsa-sha2-nistp384 ecdsa-sha2-nistp521
    sk-ssh-ed25519@openssh.com sk-ecdsa-sha2-nistp256@openssh.com rsa-sha2-512 rsa-sha2-256`),
} as const;

/** What wildcards in a list of key types find, in the order of `ssh -Q HostKeyAlgorithms`. */
const HOST_KEY_ALGORITHMS = names(`ssh-ed25519 ssh-ed25519-cert-v01@openssh.com
  sk-ssh-ed25519@openssh.com sk-ssh-ed25519-cert-v01@openssh.com
  ecdsa-sha2-nistp256 ecdsa-sha2-nistp256-cert-v01@openssh.com
  ecdsa-sha2-nistp384 ecdsa-sha2-nistp384-cert-v01@openssh.com
  ecdsa-sha2-nistp521 ecdsa-sha2-nistp521-cert-v01@openssh.com
  sk-ecdsa-sha2-nistp256@openssh.com sk-ecdsa-sha2-nistp256-cert-v01@openssh.com
  webauthn-sk-ecdsa-sha2-nistp256@openssh.com ssh-dss ssh-dss-cert-v01@openssh.com
  ssh-rsa ssh-rsa-cert-v01@openssh.com rsa-sha2-256 rsa-sha2-256-cert-v01@openssh.com
  rsa-sha2-512 rsa-sha2-512-cert-v01@openssh.com`);

/** A list with its `+`, `-` or `^` applied to the defaults and its wildcards replaced (kex.c, kex_assemble_names). */
export function assembleAlgorithms(option: keyof typeof DEFAULT_ALGORITHMS, list: string): string {
  const known = option === 'hostkeyalgorithms' ? HOST_KEY_ALGORITHMS : [];
  return [...new Set(assemble(list, DEFAULT_ALGORITHMS[option], known))].join(',');
}

function assemble(list: string, defaults: readonly string[], known: readonly string[]): readonly string[] {
  const change = list.slice(1);
  switch (list[0]) {
    case '-':
      return defaults.filter((name) => !matchesPatternList(name, change));
    case '+':
      return [...defaults, ...expandWildcards(change, known)];
    case '^':
      return [...expandWildcards(change, known), ...defaults];
    default:
      return expandWildcards(list, known);
  }
}

function expandWildcards(list: string, known: readonly string[]): readonly string[] {
  return list
    .split(',')
    .flatMap((name) => (/[*?]/.test(name) ? known.filter((one) => matchesPattern(one, name)) : [name]));
}

function names(text: string): readonly string[] {
  return text.split(/\s+/);
}
