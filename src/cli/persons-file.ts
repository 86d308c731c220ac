import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode, UsageError } from '../errors.ts';

/** Writes a file in one piece, with the folders above it. */
export function replaceFile(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, text, { mode });
  renameSync(`${path}.new`, path);
}

/** Its text; empty where there is no such file. */
export function contents(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return '';
    throw error;
  }
}

/**
 * Does something to a file of the person's. Throws a `UsageError` (`unusable-file`) with `hint` where the system does
 * not let us: a home that is missing or read-only is no mistake of ours.
 */
export function withFile<T>(path: string, hint: readonly string[], work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof Error) || systemCode(cause) === undefined) throw cause;
    throw new UsageError('unusable-file', `${path} cannot be used: ${cause.message}`, { hint, cause });
  }
}
