import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { serverEnv } from './env.ts';
import { mustRun } from './run.ts';

export type KeyType = 'ed25519' | 'ecdsa' | 'rsa';

export interface KeyPair {
  /** The private key's file; the public key's has `.pub` at its end. */
  readonly file: string;
  /** `ssh-ed25519 AAAA…`, without a comment. */
  readonly publicKey: string;
  /** `SHA256:…`, as OpenSSH shows it. */
  readonly fingerprint: string;
}

/** Makes a key with ssh-keygen, in place of one that is there. */
export async function makeKey(file: string, type: KeyType = 'ed25519', passphrase = ''): Promise<KeyPair> {
  rmSync(file, { force: true });
  const command = ['ssh-keygen', '-q', '-t', type, '-N', passphrase, '-C', 'test-rig', '-f', file];
  await mustRun(command, { env: serverEnv('/') });
  const [name = '', blob = ''] = readFileSync(`${file}.pub`, 'utf8').split(' ');
  const digest = createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64');
  return { file, publicKey: `${name} ${blob}`, fingerprint: `SHA256:${digest.replace(/=+$/, '')}` };
}
