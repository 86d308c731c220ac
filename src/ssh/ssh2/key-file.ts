import { readFile, stat } from 'node:fs/promises';
import type { IdentityFile } from '../../config/settings.ts';
import { inspectPrivateKey, parsePrivateKey, type PrivateKeyFile } from './private-key.ts';
import { parsePublicKey, type PublicKey } from './public-key.ts';

/** What an identity file has to offer. */
export interface KeyFile {
  /** Absent if only the passphrase would tell, or if there is no key at all. */
  readonly publicKey?: PublicKey;
  /** Absent if the file holds a public key or is not there. */
  readonly privateKey?: PrivateKeyFile & { readonly text: string };
  /** Why this file alone is no use, in a sentence's end; an agent may hold the key all the same. */
  readonly obstacle?: string;
}

/** Reads an identity file, and the `.pub` file beside it where the file itself does not tell its public key. */
export async function readKeyFile({ path }: IdentityFile): Promise<KeyFile> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => error);
  if (text instanceof Error) {
    const publicKey = await readBeside(path);
    const obstacle =
      text.code === 'ENOENT' ? 'does not exist' : `cannot be read (${text.code ?? text.message})`;
    return { obstacle, ...(publicKey && { publicKey }) };
  }
  const file = inspectPrivateKey(text);
  if (file === undefined) return publicOnly(text);
  const publicKey =
    file.publicKey ??
    (file.encrypted ? undefined : parsePrivateKey(text)?.publicKey) ??
    (await readBeside(path));
  const obstacle = (await permissionObstacle(path)) ?? file.unsupported;
  return {
    privateKey: { ...file, text },
    ...(publicKey && { publicKey }),
    ...(obstacle === undefined ? {} : { obstacle }),
  };
}

/** `IdentityFile key.pub` names a key that the agent holds. */
function publicOnly(text: string): KeyFile {
  const publicKey = parsePublicKey(text);
  if (publicKey === undefined) return { obstacle: 'is not a key in a format that is known here' };
  return { publicKey, obstacle: 'is a public key, and the agent does not hold its private key' };
}

async function readBeside(path: string): Promise<PublicKey | undefined> {
  const text = await readFile(`${path}.pub`, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : parsePublicKey(text);
}

/** As authfile.c (sshkey_perm_ok): a private key of one's own must be nobody else's to read. */
async function permissionObstacle(path: string): Promise<string | undefined> {
  const { uid, mode } = await stat(path);
  if (uid !== process.getuid?.() || (mode & 0o077) === 0) return undefined;
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  return `is an UNPROTECTED PRIVATE KEY FILE and is ignored: its permissions ${shown} let others at it (chmod 600 ${path})`;
}
