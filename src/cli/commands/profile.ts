import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { check } from '../../config/profiles/shape.ts';
import { readProfiles, updateProfiles } from '../../config/profiles/profile-store.ts';
import { fileShape, type Profile, type Profiles } from '../../config/profiles/profile.ts';
import { UsageError } from '../../errors.ts';
import { printable } from '../../printable.ts';
import type { ProfileCommand } from '../command.ts';
import { messages } from '../output/messages.ts';
import type { Screens } from '../output/output.ts';
import { marks } from '../output/marks.ts';
import { painter, type Paint } from '../output/screen.ts';
import { profileNamed } from '../profile-named.ts';

/**
 * Shows and changes what is kept. Fulfils with the exit status; throws a `NotFoundError` for a profile that is not
 * there, and a `UsageError` for what would be none.
 */
export async function profile(command: ProfileCommand, screens: Screens = process): Promise<number> {
  const { stdout, stderr } = screens;
  const { words } = command;
  const { warning } = messages(command, painter(stderr), (line) => stderr.write(`${line}\n`));
  const [first = '', second = ''] = words;
  switch (command.action) {
    case 'ls':
      list(await readProfiles(warning), command, screens);
      break;
    case 'show':
    case 'export': {
      const chosen = choose(await readProfiles(warning), words);
      const [only] = Object.values(chosen);
      const isOne = command.action === 'show' && words.length === 1;
      stdout.write(json(isOne ? only : { version: 1, profiles: chosen }));
      break;
    }
    case 'edit':
      await (await import('./edit-profile.ts')).editProfile(first, warning);
      stdout.write(`Saved the profile ${first}\n`);
      break;
    case 'rm':
      await updateProfiles((profiles) => without(profiles, Object.keys(choose(profiles, words))), warning);
      stdout.write(words.map((name) => `Removed the profile ${name}\n`).join(''));
      break;
    case 'rename':
      await updateProfiles((profiles) => renamed(profiles, first, second), warning);
      stdout.write(`The profile ${first} is called ${second} now\n`);
      break;
    case 'import': {
      const imported = await readImported(first);
      await updateProfiles((profiles) => merged(profiles, imported, command.force), warning);
      stdout.write(
        Object.keys(imported)
          .map((name) => `Saved the profile ${name}\n`)
          .join(''),
      );
    }
  }
  return 0;
}

function list(profiles: Profiles, { json: asJson }: ProfileCommand, { stdout, stderr }: Screens): void {
  if (asJson) stdout.write(json(profiles));
  else if (Object.keys(profiles).length === 0) {
    stderr.write('No profile is kept. To keep one: tunnel save NAME HOST SPEC...\n');
  } else {
    for (const [name, profile] of Object.entries(profiles)) {
      stdout.write(`${line(name, profile, painter(stdout))}\n`);
    }
  }
}

/** `work  deploy@vps: 8081, -D 1080 · the office #web` */
function line(name: string, { description, tags = [], ...profile }: Profile, paint: Paint): string {
  const sessions = profile.sessions ?? [profile];
  const opened = sessions.map(({ host = name, forwards = [], routes = [] }) => {
    const what = [...forwards, ...routes].join(', ');
    return what === '' ? host : `${host}: ${what}`;
  });
  const about = [...(description === undefined ? [] : [description]), ...tags.map((tag) => `#${tag}`)].join(
    ' ',
  );
  const note = about === '' ? '' : paint('dim', ` ${marks.and} ${printable(about)}`);
  return `${paint('bold', printable(name))}  ${printable(opened.join('; '))}${note}`;
}

/** Those that are named; all, where none is. Throws a `NotFoundError`. */
function choose(profiles: Profiles, names: readonly string[]): Profiles {
  if (names.length === 0) return profiles;
  return Object.fromEntries(names.map((name) => [name, profileNamed(profiles, name)]));
}

function without(profiles: Profiles, names: readonly string[]): Profiles {
  return Object.fromEntries(Object.entries(profiles).filter(([name]) => !names.includes(name)));
}

/** It stays where it is in the list. What is named by its profile alone keeps its host. */
function renamed(profiles: Profiles, from: string, to: string): Profiles {
  const profile = profileNamed(profiles, from);
  if (Object.hasOwn(profiles, to)) throw exists([to], `tunnel profile rm ${to} makes room for it.`);
  const host = profile.host === undefined && profile.sessions === undefined ? { host: from } : {};
  return Object.fromEntries(
    Object.entries(profiles).map(([name, other]) =>
      name === from ? [to, { ...other, ...host }] : [name, other],
    ),
  );
}

async function readImported(file: string): Promise<Profiles> {
  const contents = file === '-' ? await text(process.stdin) : readNamed(file);
  let value: unknown;
  try {
    value = JSON.parse(contents);
  } catch (cause) {
    throw new UsageError('bad-config', `${file} is no JSON`, { cause });
  }
  check(fileShape, value, { file, path: [] });
  return (value as { profiles: Profiles }).profiles;
}

function readNamed(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError('unreadable-config', `${file} cannot be read: ${why}`, { cause });
  }
}

function merged(profiles: Profiles, imported: Profiles, force: boolean): Profiles {
  const both = Object.keys(imported).filter((name) => Object.hasOwn(profiles, name));
  if (both.length > 0 && !force) throw exists(both, 'tunnel profile import --force replaces what is there.');
  return { ...profiles, ...imported };
}

function exists(names: readonly string[], hint: string): UsageError {
  return new UsageError('profile-exists', `There is a profile of that name already: ${names.join(', ')}`, {
    hint: [hint],
  });
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
