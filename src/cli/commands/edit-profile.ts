import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jsonSchema } from '../../config/profiles/json-schema.ts';
import { readProfiles, updateProfiles } from '../../config/profiles/profile-store.ts';
import { profileShape, type Profile } from '../../config/profiles/profile.ts';
import { check } from '../../config/profiles/shape.ts';
import { TunnelError, UsageError } from '../../errors.ts';
import { profileNamed } from '../profile-named.ts';

/**
 * Opens a profile in the person's editor, with the schema beside it, and keeps what comes out if it is right. Throws a
 * `UsageError` otherwise, which names the key, and the file in which what was written still is.
 */
export async function editProfile(name: string, warn: (message: string) => void): Promise<void> {
  const before = profileNamed(await readProfiles(warn), name);
  const directory = mkdtempSync(join(tmpdir(), 'tunnel-profile-'));
  const file = join(directory, `${name}.json`);
  const schema = 'profile.schema.json';
  writeFileSync(join(directory, schema), JSON.stringify(jsonSchema(profileShape, 'profile')), {
    mode: 0o600,
  });
  writeFileSync(file, `${JSON.stringify({ $schema: `./${schema}`, ...before }, undefined, 2)}\n`, {
    mode: 0o600,
  });
  await runEditor(file);
  try {
    const { $schema: _, ...edited } = read(file) as Profile & { $schema?: string };
    await updateProfiles((profiles) => ({ ...profiles, [name]: edited }), warn);
  } catch (error) {
    if (!(error instanceof TunnelError)) throw error;
    throw new UsageError(error.code, error.message, {
      hint: [...error.hint, `Nothing was changed. What you wrote is in ${file}`],
      cause: error,
    });
  }
  rmSync(directory, { recursive: true });
}

/** EDITOR may have arguments, as in `code --wait`; a shell takes them apart, as in git. */
async function runEditor(file: string): Promise<void> {
  const editor = process.env['VISUAL'] || process.env['EDITOR'] || 'vi';
  const child = spawn('/bin/sh', ['-c', `${editor} "$@"`, editor, file], { stdio: 'inherit' });
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status === 0) return;
  throw new UsageError('editor-failed', `The editor ${editor} ended with ${status ?? 'a signal'}`, {
    hint: ['Nothing was changed. Choose another with EDITOR.'],
  });
}

function read(file: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError('bad-config', `${file} is no JSON: ${why}`, { cause });
  }
  check(profileShape, value, { file, path: [] });
  return value;
}
