import ssh2 from 'ssh2';

/** A new ed25519 key pair. One in 250 of those that ssh2 makes is damaged, and not even ssh2 reads it. */
export function generateKeys(): { readonly private: string; readonly public: string } {
  for (;;) {
    const keys = ssh2.utils.generateKeyPairSync('ed25519');
    if (!(ssh2.utils.parseKey(keys.private) instanceof Error)) return keys;
  }
}
