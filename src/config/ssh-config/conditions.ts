import { NEEDS_OPENSSH } from './config-error.ts';
import type { ConfigLine } from './config-line.ts';
import { matchesHostList, matchesPattern, matchesPatternList } from './patterns.ts';

/** What `Host` and `Match` are asked about, as far as the configuration is read. */
export interface Subject {
  readonly alias: string;
  readonly hostname: string;
  readonly user: string;
  readonly localUser: string;
  /** True when the configuration is read for the second time, which `Match final` asks for. */
  readonly final: boolean;
}

export interface Verdict {
  readonly matches: boolean;
  /** The configuration has to be read once more. */
  readonly wantsFinal: boolean;
}

/** `Host`: any pattern that matches, and no negated one. In a final reading they are for the resolved name. */
export function matchesHostLine(line: ConfigLine, { alias, hostname, final }: Subject): boolean {
  if (line.words.includes('')) throw line.refuse('it has an empty word');
  const host = final ? hostname : alias;
  const hit = (pattern: string): boolean => matchesPattern(host, pattern);
  const negated = line.words.some((word) => word.startsWith('!') && hit(word.slice(1)));
  return !negated && line.words.some((word) => !word.startsWith('!') && hit(word));
}

/**
 * `Match`: all criteria hold. One that only OpenSSH can decide throws when all others hold, because the lines below
 * might be meant.
 */
export function matchesMatchLine(line: ConfigLine, subject: Subject): Verdict {
  const criteria = readCriteria(line);
  const holds = criteria.map((criterion) => evaluate(criterion, subject, line));
  const undecided = criteria.find((_, index) => holds[index] === undefined);
  const matches = !holds.includes(false);
  if (matches && undecided !== undefined) {
    throw line.refuse(`"Match ${undecided.name}" can be decided by OpenSSH alone, which is not on the PATH`, [
      NEEDS_OPENSSH,
    ]);
  }
  return { matches, wantsFinal: criteria.some(({ name, negated }) => name === 'final' && !negated) };
}

interface Criterion {
  readonly name: string;
  readonly negated: boolean;
  readonly argument: string;
}

const ALONE = new Set(['all', 'canonical', 'final']);
const UNDECIDABLE = new Set(['command', 'exec', 'localnetwork', 'sessiontype', 'tagged', 'version']);

function evaluate(
  { name, negated, argument }: Criterion,
  subject: Subject,
  line: ConfigLine,
): boolean | undefined {
  if (UNDECIDABLE.has(name)) return undefined;
  const holds = HOLDS[name];
  if (holds === undefined) throw line.refuse(`there is no "Match ${name}"`);
  return holds(subject, argument) !== negated;
}

const HOLDS: Readonly<Record<string, (subject: Subject, argument: string) => boolean>> = {
  all: () => true,
  canonical: ({ final }) => final,
  final: ({ final }) => final,
  host: ({ hostname }, hosts) => matchesHostList(hostname, hosts),
  originalhost: ({ alias }, hosts) => matchesHostList(alias, hosts),
  user: ({ user }, users) => matchesPatternList(user, users),
  localuser: ({ localUser }, users) => matchesPatternList(localUser, users),
};

function readCriteria(line: ConfigLine): Criterion[] {
  const words = [...line.words];
  const criteria: Criterion[] = [];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const [, bang, name = '', inline] = /^(!?)([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    const negated = bang === '!';
    if (ALONE.has(name.toLowerCase())) {
      criteria.push({ name: name.toLowerCase(), negated, argument: '' });
      continue;
    }
    if (words[0] === '=') words.shift();
    const argument = inline ?? words.shift();
    if (argument === undefined || argument === '') throw line.refuse(`"Match ${name}" needs a value`);
    criteria.push({ name: name.toLowerCase(), negated, argument });
  }
  if (criteria.length === 0) throw line.refuse('it needs a criterion');
  const all = criteria.findIndex(({ name }) => name === 'all');
  if (all > 1 || (all !== -1 && all < criteria.length - 1)) throw line.refuse('"all" stands alone');
  return criteria;
}
