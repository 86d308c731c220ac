import { transportNames } from '../../ssh/transport-name.ts';
import { shellNames } from '../command.ts';
import { flagsByName, type FlagName } from '../flags.ts';
import { shownCommands } from '../help/lists.ts';
import { topicNames } from '../help/topic-names.ts';
import { couldBeHost } from '../words.ts';
import { hosts, profiles, sessions, specs, type Candidate } from './known.ts';
import { readPartialLine, type PartialLine } from './read-line.ts';
import { placeAfter } from './usage.ts';

export interface Candidates {
  readonly items: readonly Candidate[];
  /** What the word at the cursor begins with and `items` leave out. */
  readonly prefix: string;
  /** Names of files go as well. */
  readonly files: boolean;
}

/** What may stand where the last of the words is being typed. Nothing is connected to, and nothing asked. */
export function candidates(typed: readonly string[]): Candidates {
  const line = readPartialLine(typed);
  const { flag, current, prefix } = line;
  if (flag !== undefined) return { prefix, ...valuesOf(flag.flag.value ?? '', line) };
  if (!line.flagsEnded && current.startsWith('-')) return { prefix, files: false, items: flagsOf(line) };
  return { prefix, ...wordsOf(line) };
}

type Found = Pick<Candidates, 'items' | 'files'>;

function flagsOf({ entry, current }: PartialLine): Candidate[] {
  const long = current.startsWith('--');
  return entry.flags.flatMap((name: FlagName) => {
    const flag = flagsByName.get(name);
    if (flag === undefined) return [];
    const letter = long || flag.alias === undefined ? [] : [`-${flag.alias}`];
    return [...letter, `--${name}`].map((value) => ({ value, about: flag.about }));
  });
}

function valuesOf(kind: string, line: PartialLine): Found {
  switch (kind) {
    case 'FILE':
      return { items: [], files: true };
    case 'SPEC':
      return specsOf(line);
    case 'TRANSPORT':
      return words(transportNames);
    case 'WHEN':
      return words(['no', 'yes']);
    case 'HOST[,HOST]': {
      const before = line.current.slice(0, line.current.lastIndexOf(',') + 1);
      const found = hosts(line.values.get('config'));
      return { items: found.map((host) => ({ ...host, value: before + host.value })), files: false };
    }
    default:
      return { items: [], files: false };
  }
}

function wordsOf(line: PartialLine): Found {
  const { command, entry, words: typed, values, flagsEnded } = line;
  const found: Candidate[] = [];
  let files = false;
  const add = (more: Found): void => {
    found.push(...more.items);
    files ||= more.files;
  };
  if (command === undefined && typed.length === 0 && !flagsEnded) {
    add({ items: shownCommands().map(([value, { about }]) => ({ value, about })), files });
  }
  const { literals, kinds } = placeAfter(entry.usage, typed);
  add(words(literals));
  for (const kind of kinds) {
    switch (kind) {
      case 'HOST':
        add({ items: [...profiles(), ...hosts(values.get('config'))], files });
        break;
      case 'SPEC':
        add(hostsOrSpecs(line));
        break;
      case 'NAME':
        add({ items: sessions().filter(({ value }) => !typed.includes(value)), files });
        break;
      case 'PROFILE':
        add({ items: profiles().filter(({ value }) => !typed.includes(value)), files });
        break;
      case 'TOPIC':
        add(words([...shownCommands().map(([name]) => name), ...topicNames]));
        break;
      case 'SHELL':
        add(words(shellNames));
        break;
      case 'FILE':
        add({ items: [], files: true });
        break;
    }
  }
  const unique = new Map(found.toReversed().map((item) => [item.value, item]));
  return { items: [...unique.values()].toReversed(), files };
}

/** `tunnel 8081 vps`: the host may come last. */
function hostsOrSpecs(line: PartialLine): Found {
  if (hostsIn(line).length > 0) return specsOf(line);
  return { items: [...profiles(), ...hosts(line.values.get('config'))], files: false };
}

/** What a scan has seen, without what is on the line; a path may be that of a socket here. */
function specsOf(line: PartialLine): Found {
  const seen = hostsIn(line).flatMap(specs);
  return {
    items: seen.filter(({ value }) => !line.words.includes(value)),
    files: /^(?:~|\.{1,2})?\//.test(line.current),
  };
}

function hostsIn({ entry, words: typed }: PartialLine): string[] {
  const literal = new Set(entry.usage.flatMap((usage) => usage.split(' ')));
  return typed.filter((word) => couldBeHost(word) && !literal.has(word));
}

function words(values: readonly string[]): Found {
  return { items: values.map((value) => ({ value })), files: false };
}
