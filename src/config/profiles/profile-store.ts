import { join } from 'node:path';
import { configDirectory } from '../directories.ts';
import { JsonStore, type Migration } from '../json-store.ts';
import { fileShape, type Profiles } from './profile.ts';

interface ProfileFile {
  readonly version: 1;
  readonly profiles: Profiles;
}

/** Version 1 only says that it is one. */
const migrations: readonly Migration[] = [(contents) => ({ ...contents, version: 1 })];

export function profilesPath(): string {
  return join(configDirectory(), 'profiles.json');
}

/** Throws a `UsageError` that names the key of what is wrong in the file. */
export async function readProfiles(warn: (message: string) => void): Promise<Profiles> {
  return (await store(warn).read()).profiles;
}

/** Reads, changes and writes while no other process does. Throws a `UsageError`. */
export async function updateProfiles(
  change: (profiles: Profiles) => Profiles,
  warn: (message: string) => void,
): Promise<void> {
  await store(warn).update((file) => ({ ...file, profiles: change(file.profiles) }));
}

function store(warn: (message: string) => void): JsonStore<ProfileFile> {
  return new JsonStore<ProfileFile>({
    path: profilesPath(),
    shape: fileShape,
    schema: 'profiles',
    migrations,
    empty: { version: 1, profiles: {} },
    warn,
  });
}
