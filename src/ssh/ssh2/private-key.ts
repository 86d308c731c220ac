import { createPrivateKey, sign, type KeyObject } from 'node:crypto';
import ssh2 from 'ssh2';
import { WireReader, wireInteger, wireString } from '../wire.ts';
import { publicKeyOf, readPublicKey, type PublicKey } from './public-key.ts';

/** A private key that is ready to sign. */
export interface PrivateKey {
  readonly publicKey: PublicKey;
  readonly comment: string;
  readonly key: KeyObject;
}

/** What can be told of a private key's file without its passphrase. */
export interface PrivateKeyFile {
  readonly encrypted: boolean;
  /** Why the key cannot be used, even with its passphrase, in a sentence's end. */
  readonly unsupported?: string;
  /** What is so about the file that OpenSSH can use the key all the same, in a sentence's end. */
  readonly forOpenSsh?: string;
  /** OpenSSH's and PuTTY's formats leave it readable. */
  readonly publicKey?: PublicKey;
}

const HASHES: Readonly<Record<string, string>> = {
  'ecdsa-sha2-nistp256': 'sha256',
  'ecdsa-sha2-nistp384': 'sha384',
  'ecdsa-sha2-nistp521': 'sha512',
  'ssh-rsa': 'sha1',
  'rsa-sha2-256': 'sha256',
  'rsa-sha2-512': 'sha512',
};

/** The ciphers that ssh2 can undo; ssh-keygen -Z has more. */
const CIPHERS = /^(?:none|aes(?:128|192|256)-(?:ctr|cbc)|aes(?:128|256)-gcm@openssh\.com|3des-cbc)$/;

/** Undefined if the text is no private key in a format that we know. */
export function inspectPrivateKey(text: string): PrivateKeyFile | undefined {
  if (text.includes('-----BEGIN OPENSSH PRIVATE KEY-----')) return inspectOpenSsh(text);
  if (text.startsWith('PuTTY-User-Key-File-')) return inspectPutty(text);
  const [, kind] = /-----BEGIN (|RSA |EC |DSA |ENCRYPTED )PRIVATE KEY-----/.exec(text) ?? [];
  if (kind === undefined) return undefined;
  if (kind === 'DSA ')
    return { encrypted: false, unsupported: 'holds a DSA key, and those are no longer accepted anywhere' };
  return { encrypted: kind === 'ENCRYPTED ' || text.includes('Proc-Type: 4,ENCRYPTED') };
}

/** Undefined when the passphrase is wrong or missing, or the file damaged: which of them cannot be told. */
export function parsePrivateKey(text: string, passphrase?: string): PrivateKey | undefined {
  try {
    const { pem, comment } = toPem(text, passphrase);
    const key = createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) });
    const publicKey = publicKeyOf(key);
    return publicKey && { publicKey, comment, key };
  } catch {
    return undefined;
  }
}

/** The signature with its type in front (RFC 4253, section 6.6). `algorithm` is one of the key's, for RSA by hash. */
export function signWith({ key, publicKey }: PrivateKey, data: Buffer, algorithm: string): Buffer {
  const hash = HASHES[algorithm] ?? null;
  if (!publicKey.type.startsWith('ecdsa-'))
    return Buffer.concat([wireString(algorithm), wireString(sign(hash, data, key))]);
  // RFC 5656, section 3.1.2: the two numbers one by one.
  const numbers = sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });
  const half = numbers.length / 2;
  const both = [wireInteger(numbers.subarray(0, half)), wireInteger(numbers.subarray(half))];
  return Buffer.concat([wireString(algorithm), wireString(Buffer.concat(both))]);
}

/** Node.js reads every kind of PEM file; OpenSSH's own format and PuTTY's only ssh2 does. */
function toPem(text: string, passphrase: string | undefined): { pem: string; comment: string } {
  if (!/^PuTTY-|BEGIN OPENSSH/m.test(text)) return { pem: text, comment: '' };
  const key = ssh2.utils.parseKey(text, passphrase);
  if (key instanceof Error) throw key;
  return { pem: key.getPrivatePEM(), comment: key.comment };
}

/** OpenSSH PROTOCOL.key: magic, cipher, key derivation and its options, number of keys, then the public key. */
function inspectOpenSsh(text: string): PrivateKeyFile {
  const damaged = { encrypted: false, unsupported: 'is damaged' };
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]+)-----END/.exec(text)?.[1] ?? '';
  const magic = 'openssh-key-v1\0';
  try {
    const reader = new WireReader(Buffer.from(body, 'base64'));
    if (reader.bytes(magic.length).toString('latin1') !== magic) return damaged;
    const cipher = reader.string().toString('latin1');
    reader.string();
    reader.string();
    reader.uint32();
    const publicKey = readPublicKey(reader.string());
    if (publicKey === undefined) return damaged;
    return { encrypted: cipher !== 'none', publicKey, ...openSshObstacle(cipher, publicKey.type) };
  } catch {
    return damaged;
  }
}

function openSshObstacle(cipher: string, type: string): Pick<PrivateKeyFile, 'unsupported' | 'forOpenSsh'> {
  if (type.startsWith('sk-')) {
    const forOpenSsh = 'is a FIDO key';
    return { forOpenSsh, unsupported: `${forOpenSsh}, which can be used only through an agent (ssh-add)` };
  }
  if (CIPHERS.test(cipher)) return {};
  const forOpenSsh = `is encrypted with ${cipher}`;
  return {
    forOpenSsh,
    unsupported: `${forOpenSsh}, which ssh2 cannot undo; encrypt it anew: ssh-keygen -p -Z aes256-ctr -f FILE`,
  };
}

function inspectPutty(text: string): PrivateKeyFile {
  const [, version = '', type = ''] = /^PuTTY-User-Key-File-(\d+): (\S+)/.exec(text) ?? [];
  const encrypted = !/^Encryption: none\r?$/m.test(text);
  const [, lines = ''] = /^Public-Lines: \d+\r?\n((?:[A-Za-z0-9+/=]+\r?\n)+)/m.exec(text) ?? [];
  const publicKey = readPublicKey(Buffer.from(lines, 'base64'));
  return {
    encrypted,
    ...(publicKey === undefined ? {} : { publicKey }),
    ...(version === '2' && type === 'ssh-rsa'
      ? {}
      : {
          unsupported: `is in PuTTY's format ${version}, which is not read for ${type}; convert it: puttygen FILE -O private-openssh`,
        }),
  };
}
