import { randomBytes } from 'node:crypto';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConnectError, systemCode } from '../errors.ts';
import type { KnownHostsName } from './known-hosts.ts';
import { keyType } from './known-hosts-key.ts';
import { hashName } from './known-hosts-line.ts';

/** What would not be read back as a name: the separators, the wildcards, the marks of comments, markers and hashes. */
const UNSAFE_IN_NAME = /[\s\p{Cc},!*?@#|'"\\]/u;

/**
 * Adds a host's key at the end of a file, which is created (0600, its directory 0700) when it is missing. What is
 * there already is left alone, but for a line break that its last line lacks. Throws a `ConnectError`
 * (`known-hosts-name`, `known-hosts-write`).
 */
export async function appendKnownHost(
  file: string,
  { name }: KnownHostsName,
  key: Buffer,
  { hash }: { readonly hash: boolean },
): Promise<void> {
  if (name === '' || UNSAFE_IN_NAME.test(name)) {
    throw new ConnectError(
      'known-hosts-name',
      `${JSON.stringify(name)} cannot be written to ${file}: it is not a host name`,
      {
        hint: ['Give the host another name for its key: -o HostKeyAlias=NAME'],
      },
    );
  }
  const hosts = hash ? hashName(name, randomBytes(20)) : name;
  try {
    await append(file, `${hosts} ${keyType(key)} ${key.toString('base64')}\n`);
  } catch (cause) {
    throw notWritten(file, name, cause);
  }
}

async function append(file: string, line: string): Promise<void> {
  const handle = await openForAppending(file);
  try {
    // In one write: another process may be adding a line at this moment.
    const text = Buffer.from((await endsInsideLine(handle)) ? `\n${line}` : line);
    const { bytesWritten } = await handle.write(text);
    if (bytesWritten < text.length) throw new Error('only a part of the line was written');
  } finally {
    await handle.close();
  }
}

async function openForAppending(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'a+', 0o600);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    await makeDirectory(dirname(file));
    return await open(file, 'a+', 0o600);
  }
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

async function endsInsideLine(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  if (size === 0) return false;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString() !== '\n';
}

function notWritten(file: string, name: string, cause: unknown): ConnectError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ConnectError('known-hosts-write', `Cannot add the host key of ${name} to ${file}: ${why}`, {
    cause,
    hint: ['Make it a file that you can write, or name another one: -o UserKnownHostsFile=FILE'],
  });
}
