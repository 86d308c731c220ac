import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadKnownHosts, type KnownHosts } from '../../src/ssh/known-hosts.ts';

/** A key's blob: strings, each after its length (RFC 4251, section 5). */
export function blob(...fields: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    fields.flatMap((field) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(field.length);
      return [length, Buffer.from(field)];
    }),
  );
}

/** Any 32 bytes are an ed25519 key for whoever only compares it. */
export function ed25519(): Buffer {
  return blob('ssh-ed25519', randomBytes(32));
}

/** An RSA key that OpenSSH reads, though nobody knows its factors: e, and 2048 bits of n. */
export function rsa(): Buffer {
  const n = Buffer.concat([Buffer.from([0, 0xc5]), randomBytes(254), Buffer.from([0x6b])]);
  return blob('ssh-rsa', Buffer.from([1, 0, 1]), n);
}

/** `ssh-ed25519 AAAA…` */
export function text(key: Buffer): string {
  const length = key.readUInt32BE(0);
  return `${key.subarray(4, 4 + length).toString()} ${key.toString('base64')}`;
}

export interface Loaded {
  readonly hosts: KnownHosts;
  readonly warnings: readonly string[];
}

export async function load(...files: readonly string[]): Promise<Loaded> {
  const warnings: string[] = [];
  const hosts = await loadKnownHosts(files, { warn: (message) => void warnings.push(message) });
  return { hosts, warnings };
}

export interface Folder {
  path(name: string): string;
  /** Writes a file and returns its path. */
  file(name: string, content: string | Buffer): string;
}

export function folder(t: { after(fn: () => void): void }): Folder {
  const dir = mkdtempSync(join(tmpdir(), 'known-hosts-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const path = (name: string): string => join(dir, name);
  return {
    path,
    file(name, content) {
      writeFileSync(path(name), content);
      return path(name);
    },
  };
}
