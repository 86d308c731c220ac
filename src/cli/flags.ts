import yargs from 'yargs';
import { quoted } from '../endpoint.ts';
import { UsageError } from '../errors.ts';
import { closest } from './closest.ts';

export interface Flag {
  /** A letter: the one that `ssh` has for it, where there is one. */
  readonly alias?: string;
  /** A `string` takes a value, and may be given again. */
  readonly type: 'string' | 'boolean' | 'count';
  readonly array?: boolean;
  /** What a value that is left out stands for. Whether the next word is one, its look decides (`isCaddyfile`). */
  readonly otherwise?: string;
}

export const flags = {
  forward: { alias: 'L', type: 'string', array: true },
  remote: { alias: 'R', type: 'string', array: true },
  dynamic: { alias: 'D', type: 'string', array: true },
  gateway: { alias: 'g', type: 'boolean' },
  port: { alias: 'p', type: 'string', array: true },
  user: { alias: 'l', type: 'string', array: true },
  identity: { alias: 'i', type: 'string', array: true },
  jump: { alias: 'J', type: 'string', array: true },
  config: { alias: 'F', type: 'string', array: true },
  option: { alias: 'o', type: 'string', array: true },
  compress: { alias: 'C', type: 'boolean' },
  ipv4: { alias: '4', type: 'boolean' },
  ipv6: { alias: '6', type: 'boolean' },
  'no-command': { alias: 'N', type: 'boolean' },
  verbose: { alias: 'v', type: 'count' },
  quiet: { alias: 'q', type: 'boolean' },
  transport: { type: 'string', array: true },
  http: { type: 'string', array: true },
  route: { alias: 'r', type: 'string', array: true },
  caddyfile: { type: 'string', array: true, otherwise: './Caddyfile' },
  'remote-dir': { type: 'string', array: true },
  as: { type: 'string', array: true },
  'allow-host': { type: 'string', array: true },
  'allow-origin': { type: 'string', array: true },
  spa: { type: 'boolean' },
  'log-queries': { type: 'boolean' },
  'log-cookies': { type: 'boolean' },
  wireguard: { type: 'string', array: true },
  via: { type: 'string', array: true },
  standby: { type: 'boolean' },
  detach: { alias: 'd', type: 'boolean' },
  open: { type: 'boolean' },
  wait: { type: 'boolean' },
  hold: { type: 'string', array: true },
  'retry-dial': { type: 'string', array: true },
  reconnect: { type: 'string', array: true },
  follow: { type: 'boolean' },
  all: { type: 'boolean' },
  print: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { alias: 'h', type: 'boolean' },
  version: { alias: 'V', type: 'boolean' },
} as const satisfies Record<string, Flag>;

export type FlagName = keyof typeof flags;
export type Flags = ReturnType<typeof readFlags>;

const table: ReadonlyMap<string, Flag> = new Map(Object.entries(flags));
const names: ReadonlyMap<string, FlagName> = new Map([
  ...Object.entries(flags).flatMap(([name, flag]): [string, FlagName][] =>
    'alias' in flag ? [[flag.alias, name as FlagName]] : [],
  ),
  // ssh's own letter for it.
  ['f', 'detach'],
]);

/** The letters of ssh(1) that mean nothing here, and what to do about each. */
const refused: Readonly<Record<string, string>> = {
  a: 'Leave it out: the agent is never forwarded.',
  A: 'Leave it out: nothing runs on the other side that would use the agent.',
  b: 'Write -o BindAddress=ADDRESS instead.',
  B: 'Write -o BindAddress=ADDRESS with an address of that interface instead.',
  c: 'Write -o Ciphers=LIST instead.',
  e: 'Leave it out: there is no shell on the other side to escape from.',
  E: 'Redirect standard error instead: 2>FILE',
  G: 'Ask ssh itself: ssh -G HOST',
  I: 'Add the PKCS#11 key to the agent instead: ssh-add -s PROVIDER',
  k: 'Leave it out: GSSAPI credentials are never forwarded.',
  K: 'Log in with an agent or an identity file (-i) instead of GSSAPI.',
  m: 'Write -o MACs=LIST instead.',
  M: 'Leave it out: the connection is not shared with ssh.',
  n: 'Leave it out: standard input is not read.',
  O: 'Leave it out: the connection is not shared with ssh.',
  P: 'Write the options themselves with -o instead of a tag.',
  Q: 'Ask ssh itself: ssh -Q',
  s: 'Use ssh -s: subsystems are not run here.',
  S: 'Leave it out: the connection is not shared with ssh.',
  t: 'Leave it out: no shell is opened. Use ssh for one.',
  T: 'Leave it out: a terminal is never asked for.',
  w: 'Use ssh -w: network devices are not forwarded here.',
  W: 'Listen on a port instead of standard input and output: tunnel vps 8081',
  x: 'Leave it out: X11 is never forwarded.',
  X: 'Use ssh -X: X11 is not forwarded here.',
  y: 'Leave it out: messages always go to standard error.',
  Y: 'Use ssh -Y: X11 is not forwarded here.',
};

/** What letters stand for. */
export type Letters = Readonly<Record<string, FlagName>>;

/** Reads what `expandFlags` gave. */
export function readFlags(expanded: readonly string[]) {
  return yargs([...expanded])
    .help(false)
    .version(false)
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'greedy-arrays': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'strip-aliased': true,
    })
    .options(flags)
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new UsageError('bad-arguments', message);
    })
    .parseSync();
}

/**
 * Rewrites every flag as `--name=value`, reading them as getopt(3) does for `ssh`: `-p2222`, `-oPort=22`, `-vvN`.
 *
 * yargs reads `-oPort=22` as seven flags, and the word after a switch as its value when it is `true`; in this form
 * nothing is left to guess. Words stay where they are. `letters` are what a command means by letters that ssh uses
 * otherwise. Throws a `UsageError` that names the flag.
 */
export function expandFlags(argv: readonly string[], letters: Letters = {}): string[] {
  const rest = [...argv];
  const expanded: string[] = [];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') return [...expanded, word, ...rest];
    if (word.startsWith('--')) expanded.push(expandLong(word, rest));
    else if (word.startsWith('-') && word !== '-') expanded.push(...expandShort(word, rest, letters));
    else expanded.push(word);
  }
  return expanded;
}

function expandLong(word: string, rest: string[]): string {
  const [, name = '', value] = /^--([^=]*)(?:=([\s\S]*))?$/.exec(word) ?? [];
  const flag = table.get(name);
  if (!flag) throw unknownLongFlag(name);
  if (flag.otherwise !== undefined && value === undefined) {
    return `--${name}=${isCaddyfile(rest[0]) ? rest.shift() : flag.otherwise}`;
  }
  if (flag.type === 'string') return `--${name}=${requireValue(`--${name}`, value ?? rest.shift())}`;
  if (value !== undefined) {
    throw new UsageError('unexpected-value', `--${name} takes no value, but ${quoted(value)} was given`);
  }
  return `--${name}=true`;
}

function expandShort(word: string, rest: string[], own: Letters): string[] {
  const expanded: string[] = [];
  const letters = Array.from(word.slice(1));
  for (const [i, letter] of letters.entries()) {
    const name = (Object.hasOwn(own, letter) ? own[letter] : undefined) ?? names.get(letter);
    if (!name) throw unknownLetter(letter, word);
    if (table.get(name)?.type === 'string') {
      const joined = letters.slice(i + 1).join('');
      return [...expanded, `--${name}=${requireValue(`-${letter}`, joined || rest.shift())}`];
    }
    expanded.push(`--${name}=true`);
  }
  return expanded;
}

function isCaddyfile(word: string | undefined): boolean {
  return word !== undefined && /(^|\/)[^/]*caddyfile[^/]*$/i.test(word);
}

function requireValue(flag: string, value: string | undefined): string {
  if (!value) throw new UsageError('missing-value', `${flag} needs a value`, { hint: [seeHelp] });
  return value;
}

const seeHelp = 'tunnel --help lists every flag.';

function unknownLetter(letter: string, word: string): UsageError {
  const where = word.length > 2 ? ` in ${word}` : '';
  const instead = Object.hasOwn(refused, letter) ? refused[letter] : undefined;
  return instead === undefined
    ? new UsageError('unknown-flag', `Unknown flag -${letter}${where}`, { hint: [seeHelp] })
    : new UsageError('unsupported-flag', `Flag -${letter}${where} of ssh is not supported`, {
        hint: [instead],
      });
}

function unknownLongFlag(name: string): UsageError {
  const similar = closest(name, table.keys());
  return new UsageError('unknown-flag', `Unknown flag --${name}`, {
    hint: [similar === undefined ? seeHelp : `Did you mean --${similar}?`],
  });
}
