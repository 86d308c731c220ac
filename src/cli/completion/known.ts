import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { configDirectory, runtimeDirectory, stateDirectory } from '../../config/directories.ts';
import { configuredHosts, knownHosts } from '../../config/host-names.ts';
import { localEnvironment } from '../../config/local-environment.ts';

export interface Candidate {
  readonly value: string;
  readonly about?: string;
}

/** Everything here is found in files, at once, and is nothing where they are not as they should be. */
export function hosts(configFile: string | undefined): Candidate[] {
  const local = localEnvironment();
  return [
    ...configuredHosts(local, configFile).map((value) => ({ value, about: 'host of ssh_config' })),
    ...knownHosts(local).map((value) => ({ value, about: 'host of known_hosts' })),
  ];
}

export function profiles(): Candidate[] {
  const file = readJson(join(configDirectory(), 'profiles.json'));
  return Object.entries(asObject(asObject(file)['profiles'])).map(([value, profile]) => {
    const { description } = asObject(profile);
    return { value, about: typeof description === 'string' && description !== '' ? description : 'profile' };
  });
}

/** The hosts of a profile, or the host itself. */
export function hostsOf(name: string): string[] {
  const file = readJson(join(configDirectory(), 'profiles.json'));
  const profile = asObject(asObject(asObject(file)['profiles'])[name]);
  const sessions = Array.isArray(profile['sessions']) ? profile['sessions'] : [profile];
  const named = sessions.map((session) => asObject(session)['host']);
  return [name, ...named.filter((host) => typeof host === 'string')];
}

/** By the names of their control sockets: whether one answers is not asked. */
export function sessions(): Candidate[] {
  return filesIn(runtimeDirectory()).flatMap((name) => {
    const [, encoded] = /^(.*)\.sock$/s.exec(name) ?? [];
    // A name that was too long is only there as its hash.
    if (encoded === undefined || /^[\da-f]{16}$/.test(encoded)) return [];
    const value = decoded(encoded);
    return value === undefined ? [] : [{ value, about: 'session' }];
  });
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function decoded(name: string): string | undefined {
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}

/** What was seen at the last scan of a host. */
export function specs(host: string): Candidate[] {
  const found = hostsOf(host).flatMap((name) => {
    const cached = asObject(readJson(join(stateDirectory(), 'scan', `${encodeURIComponent(name)}.json`)));
    return Array.isArray(cached['specs']) ? cached['specs'] : [];
  });
  const values = found.filter((spec): spec is string => typeof spec === 'string' && spec !== '');
  return [...new Set(values)].map((value) => ({ value }));
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
