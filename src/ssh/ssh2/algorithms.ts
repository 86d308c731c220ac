import type { Algorithms } from 'ssh2';
import type { HostSettings } from '../../config/settings.ts';
import { ConnectError } from '../../errors.ts';
import { supportedAlgorithms, type AlgorithmKind } from './internals.ts';

/**
 * What we offer where the configuration leaves it to us. AES-GCM first: it is the fastest that Node.js has, and it
 * is not open to Terrapin, which ChaCha20 and encrypt-then-MAC are on servers without strict key exchange.
 */
const OURS: Record<AlgorithmKind, readonly string[]> = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group-exchange-sha256',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group18-sha512',
    'diffie-hellman-group14-sha256',
  ],
  serverHostKey: [
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'rsa-sha2-512',
    'rsa-sha2-256',
  ],
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'aes128-ctr',
    'aes192-ctr',
    'aes256-ctr',
    'chacha20-poly1305@openssh.com',
  ],
  hmac: [
    'hmac-sha2-256-etm@openssh.com',
    'hmac-sha2-512-etm@openssh.com',
    'hmac-sha2-256',
    'hmac-sha2-512',
    'hmac-sha1-etm@openssh.com',
    'hmac-sha1',
  ],
};

const OPTIONS = {
  KexAlgorithms: ['kex', 'kexAlgorithms'],
  HostKeyAlgorithms: ['serverHostKey', 'hostKeyAlgorithms'],
  Ciphers: ['cipher', 'ciphers'],
  MACs: ['hmac', 'macs'],
} as const;

/** Names an option of whose algorithms ssh2 has none, for a person; undefined if it has one of each. */
export function lackingAlgorithms(settings: HostSettings): string | undefined {
  for (const [option, [kind, field]] of Object.entries(OPTIONS)) {
    const configured = settings[field];
    if (configured !== undefined && supported(kind, configured).length === 0)
      return `${option} has only ${configured.join(', ')}`;
  }
  return undefined;
}

/**
 * The algorithms to offer a host. What ssh2 lacks is left out of a configured list; throws a `ConnectError` when
 * nothing is left. `knownTypes` are the key types that known_hosts has for the host: they come first, so that the
 * server shows a key that can be checked (as ssh does in sshconnect2.c, order_hostkeyalgs).
 */
export function algorithmsFor(settings: HostSettings, knownTypes: readonly string[]): Algorithms {
  const hostKeys = choose('serverHostKey', settings.hostKeyAlgorithms, 'HostKeyAlgorithms');
  return {
    kex: choose('kex', settings.kexAlgorithms, 'KexAlgorithms'),
    serverHostKey: settings.hostKeyAlgorithms === undefined ? knownFirst(hostKeys, knownTypes) : hostKeys,
    cipher: choose('cipher', settings.ciphers, 'Ciphers'),
    hmac: choose('hmac', settings.macs, 'MACs'),
    compress: settings.compression ? ['zlib@openssh.com', 'zlib', 'none'] : ['none'],
  } as Algorithms;
}

function choose(kind: AlgorithmKind, configured: readonly string[] | undefined, option: string): string[] {
  const chosen = supported(kind, configured ?? OURS[kind]);
  if (chosen.length > 0) return chosen;
  throw new ConnectError('no-algorithm', `None of the configured ${option} is supported by ssh2`, {
    hint: [
      `Configured: ${configured?.join(',') ?? ''}`,
      `Supported: ${OURS[kind].join(',')}`,
      'OpenSSH has more of them, where it is installed: --transport openssh',
    ],
  });
}

function supported(kind: AlgorithmKind, names: readonly string[]): string[] {
  const all = supportedAlgorithms(kind) ?? OURS[kind];
  return names.filter((name) => all.includes(name));
}

function knownFirst(algorithms: readonly string[], knownTypes: readonly string[]): string[] {
  const known = algorithms.filter((name) => knownTypes.includes(keyTypeOf(name)));
  return [...known, ...algorithms.filter((name) => !known.includes(name))];
}

/** RFC 8332: the same ssh-rsa key signs with either hash. */
function keyTypeOf(algorithm: string): string {
  return algorithm.startsWith('rsa-sha2-') ? 'ssh-rsa' : algorithm;
}
