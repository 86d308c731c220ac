import { createRequire } from 'node:module';

/** Whether ssh2's ciphers in C++ were built; those of Node.js do the same, with more copying. */
export function hasNativeCrypto(): boolean {
  try {
    createRequire(import.meta.url)('ssh2/lib/protocol/crypto/build/Release/sshcrypto.node');
    return true;
  } catch {
    return false;
  }
}
