import { readFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { bracketed } from '../endpoint.ts';
import { isIPv4, isIPv6 } from '../ip-address.ts';
import { parseDestination } from './destination.ts';
import type { LocalEnvironment } from './local-environment.ts';
import { findFiles } from './ssh-config/find-files.ts';
import { splitWords } from './ssh-config/split-words.ts';

type Local = Pick<LocalEnvironment, 'home' | 'directory' | 'systemDirectory'>;

/**
 * The names that `Host` lines give, those with a pattern left out. Nothing is said of what cannot be read: it is for
 * completion and for "did you mean". Synchronous: node:fs/promises takes longer to load than the files to read.
 */
export function configuredHosts(local: Local, configFile?: string): string[] {
  if (configFile?.toLowerCase() === 'none') return [];
  const user = join(local.home, '.ssh');
  // A file that is included again, or includes itself, has nothing new to tell.
  const seen = new Set<string>();
  const names =
    configFile === undefined
      ? [
          ...namesIn(join(user, 'config'), user, local, seen),
          ...namesIn(join(local.systemDirectory, 'ssh_config'), local.systemDirectory, local, seen),
        ]
      : namesIn(resolve(local.directory, atHome(configFile, local)), user, local, seen);
  return [...new Set(names)].filter(isUsable);
}

/** The names in known_hosts that can be read: not hashed, no pattern, and an address only where nothing else is known. */
export function knownHosts(local: Local): string[] {
  const files = [
    join(local.home, '.ssh', 'known_hosts'),
    join(local.home, '.ssh', 'known_hosts2'),
    join(local.systemDirectory, 'ssh_known_hosts'),
  ];
  const lines = files.flatMap(linesOf);
  return [...new Set(lines.flatMap(namesOfKey))].filter(isUsable);
}

function namesIn(file: string, base: string, local: Local, seen: Set<string>): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const names: string[] = [];
  for (const line of linesOf(file)) {
    const [, keyword = '', text = ''] = /^\s*"?(host|include)"?(?:\s*=\s*|\s+)(.*)$/i.exec(line) ?? [];
    const words = splitWords(text.trim(), { comments: true }) ?? [];
    if (keyword.toLowerCase() === 'host') names.push(...words.filter((word) => !/[*?!]/.test(word)));
    else for (const word of words) names.push(...included(word, base, local, seen));
  }
  return names;
}

function included(word: string, base: string, local: Local, seen: Set<string>): string[] {
  const path = atHome(word, local);
  const files = findFiles(isAbsolute(path) ? path : join(base, path));
  return files.flatMap((file) => namesIn(file, base, local, seen));
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
  const host = /^\[(.*)\]:\d+$/.exec(name)?.[1] ?? name;
  return isIPv4(host) || isIPv6(host);
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

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/);
  } catch {
    return [];
  }
}
