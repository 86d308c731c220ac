import { closest } from '../closest.ts';
import type { Profile, Profiles } from '../config/profiles/profile.ts';
import { quoted } from '../endpoint.ts';
import { NotFoundError } from '../errors.ts';

/** Throws a `NotFoundError` that names the nearest one. */
export function profileNamed(profiles: Profiles, name: string): Profile {
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (profile !== undefined) return profile;
  const names = Object.keys(profiles);
  const similar = closest(name, names);
  const present = names.length === 0 ? 'There is none.' : `There are: ${names.join(', ')}`;
  throw new NotFoundError('no-profile', `There is no profile ${quoted(name)}`, {
    hint: [similar === undefined ? present : `Did you mean ${similar}?`],
  });
}
