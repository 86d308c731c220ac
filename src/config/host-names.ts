import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { isAbsolute, join, resolve } from 'node:path';
import { bracketed } from '../endpoint.ts';
import { parseDestination } from './destination.ts';
import type { LocalEnvironment } from './local-environment.ts';
import { findFiles } from './ssh-config/find-files.ts';
import { splitWords } from './ssh-config/split-words.ts';

type Local = Pick<LocalEnvironment, 'home' | 'directory' | 'systemDirectory'>;

/**
 * The names that `Host` lines give, those with a pattern left out. Nothing is said of what cannot be read: it is for
 * completion and for "did you mean".
 */
export async function configuredHosts(local: Local, configFile?: string): Promise<string[]> {
  if (configFile?.toLowerCase() === 'none') return [];
  const user = join(local.home, '.ssh');
  // A file that is included again, or includes itself, has nothing new to tell.
  const seen = new Set<string>();
  const names =
    configFile === undefined
      ? [
          ...(await namesIn(join(user, 'config'), user, local, seen)),
          ...(await namesIn(join(local.systemDirectory, 'ssh_config'), local.systemDirectory, local, seen)),
        ]
      : await namesIn(resolve(local.directory, atHome(configFile, local)), user, local, seen);
  return [...new Set(names)].filter(isUsable);
}

/** The names in known_hosts that can be read: not hashed, no pattern, and an address only where nothing else is known. */
export async function knownHosts(local: Local): Promise<string[]> {
  const files = [
    join(local.home, '.ssh', 'known_hosts'),
    join(local.home, '.ssh', 'known_hosts2'),
    join(local.systemDirectory, 'ssh_known_hosts'),
  ];
  const lines = (await Promise.all(files.map(linesOf))).flat();
  return [...new Set(lines.flatMap(namesOfKey))].filter(isUsable);
}

async function namesIn(file: string, base: string, local: Local, seen: Set<string>): Promise<string[]> {
  if (seen.has(file)) return [];
  seen.add(file);
  const names: string[] = [];
  for (const line of await linesOf(file)) {
    const [, keyword = '', text = ''] = /^\s*"?(host|include)"?(?:\s*=\s*|\s+)(.*)$/i.exec(line) ?? [];
    const words = splitWords(text.trim(), { comments: true }) ?? [];
    if (keyword.toLowerCase() === 'host') names.push(...words.filter((word) => !/[*?!]/.test(word)));
    else for (const word of words) names.push(...(await included(word, base, local, seen)));
  }
  return names;
}

async function included(word: string, base: string, local: Local, seen: Set<string>): Promise<string[]> {
  const path = atHome(word, local);
  const names: string[] = [];
  for (const file of await findFiles(isAbsolute(path) ? path : join(base, path))) {
    names.push(...(await namesIn(file, base, local, seen)));
  }
  return names;
}

function namesOfKey(line: string): string[] {
  const [, marker, hosts = ''] = /^\s*(@\S+\s+)?([^#\s]\S*)\s/.exec(line) ?? [];
  if (marker !== undefined || hosts.startsWith('|')) return [];
  const names = hosts.split(',').filter((name) => name !== '' && !/[*?!]/.test(name));
  const [named, addresses] = [names.filter((name) => !isAddress(name)), names.filter(isAddress)];
  return (named.length > 0 ? named : addresses).map(asDestination);
}

/** `[host]:2222` is how known_hosts writes a port; only an address keeps its brackets on a command line. */
function asDestination(name: string): string {
  const [, host = name, port] = /^\[(.*)\]:(\d+)$/.exec(name) ?? [];
  return port === undefined ? host : `${bracketed(host)}:${port}`;
}

function isAddress(name: string): boolean {
  return isIP(/^\[(.*)\]:\d+$/.exec(name)?.[1] ?? name) !== 0;
}

/** What ssh and we refuse as a host is no help. */
function isUsable(name: string): boolean {
  try {
    parseDestination(name);
    return true;
  } catch {
    return false;
  }
}

function atHome(path: string, { home }: Local): string {
  return path.replace(/^~(?=\/)/, home);
}

async function linesOf(file: string): Promise<string[]> {
  try {
    return (await readFile(file, 'utf8')).split(/\r?\n/);
  } catch {
    return [];
  }
}
