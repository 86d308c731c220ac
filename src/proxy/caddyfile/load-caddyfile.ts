import { execFile } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { systemCode, UsageError } from '../../errors.ts';
import type { Rule } from '../rule.ts';
import { readAdapted } from './read-adapted.ts';
import { readCaddyfile } from './read-caddyfile.ts';
import type { CaddyfileOptions } from './scope.ts';

/** Runs `caddy adapt` on a Caddyfile, here or there: the JSON, or undefined where there is no Caddy. */
export type Adapt = (file: string, text: string) => Promise<string | undefined>;

export interface LoadOptions extends Partial<Omit<CaddyfileOptions, 'hide'>> {
  /** Tried in turn; `adaptHere` unless told otherwise. */
  readonly adapt?: readonly Adapt[];
}

/**
 * The rules of a Caddyfile. Caddy itself parses it where there is one; what of it we do not support is then looked up by our own
 * reader, which knows the line. Throws a `UsageError` (`bad-caddyfile`, `caddyfile-sites`, `caddyfile-unreadable`).
 */
export async function loadCaddyfile(file: string, options: LoadOptions = {}): Promise<readonly Rule[]> {
  const path = resolve(file);
  const text = readText(path, file);
  const { adapt = [adaptHere], environment = process.env } = options;
  const given = { folder: dirname(path), ...options, environment, hide: [path, realpathSync(path)] };
  for (const run of adapt) {
    const json = await run(path, text);
    if (json === undefined) continue;
    try {
      return readAdapted(json, file, given);
    } catch (error) {
      if (error instanceof UsageError && error.code === 'bad-caddyfile') readCaddyfile(text, file, given);
      throw error;
    }
  }
  return readCaddyfile(text, file, given);
}

/** The Caddy of this machine. It is given the file's own environment, and reads what the file imports. */
export const adaptHere: Adapt = (file) =>
  new Promise((found, fail) => {
    const args = ['adapt', '--config', basename(file), '--adapter', 'caddyfile'];
    const options = { cwd: dirname(file), timeout: 20_000, maxBuffer: 16 * 1024 * 1024 };
    execFile('caddy', args, options, (error, stdout, stderr) => {
      if (error === null) found(stdout);
      else if (systemCode(error) === 'ENOENT' || systemCode(error) === 'EACCES') found(undefined);
      else fail(new UsageError('bad-caddyfile', lastLine(stderr) || error.message));
    });
  });

function lastLine(text: string): string {
  return (text.trim().split('\n').at(-1) ?? '').replace(/^Error: /i, '');
}

function readText(path: string, file: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const why = systemCode(error) === 'ENOENT' ? 'there is no such file' : (error as Error).message;
    throw new UsageError('caddyfile-unreadable', `Cannot read ${file}: ${why}`, {
      cause: error,
      hint: file === './Caddyfile' ? ['Another file is named with an equals sign: --caddyfile=FILE'] : [],
    });
  }
}
