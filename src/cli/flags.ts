import { statSync } from 'node:fs';
import { quoted } from '../endpoint.ts';
import { UsageError } from '../errors.ts';
import { closest } from '../closest.ts';

export interface Flag {
  /** A letter: the one that `ssh` has for it, where there is one. */
  readonly alias?: string;
  /** A `string` takes a value, and may be given again. */
  readonly type: 'string' | 'boolean' | 'count';
  readonly array?: boolean;
  /** What a value that is left out stands for. Whether the next word is one, its look decides (`isCaddyfile`). */
  readonly otherwise?: string;
  /** What its value stands for: what completion offers there depends on it. */
  readonly value?: string;
  /** What `--help`, the man page and completion say of it. */
  readonly about: string;
  /** Where `--help` lists it. */
  readonly part: 'ssh' | 'session' | 'http' | 'wireguard' | 'command' | 'general';
}

export const flags = {
  forward: { alias: 'L', type: 'string', array: true, value: 'SPEC', part: 'ssh', about: 'one more SPEC' },
  remote: {
    alias: 'R',
    type: 'string',
    array: true,
    value: 'SPEC',
    part: 'ssh',
    about: 'the other way: listen there, connect here; a port alone: SOCKS there',
  },
  dynamic: {
    alias: 'D',
    type: 'string',
    array: true,
    value: '[ADDR:]PORT',
    part: 'ssh',
    about: 'a SOCKS proxy here, whose connections leave from there',
  },
  gateway: {
    alias: 'g',
    type: 'boolean',
    part: 'ssh',
    about: 'let other machines use what is listened on here',
  },
  port: {
    alias: 'p',
    type: 'string',
    array: true,
    value: 'PORT',
    part: 'ssh',
    about: 'port of the SSH server',
  },
  user: { alias: 'l', type: 'string', array: true, value: 'USER', part: 'ssh', about: 'user there' },
  identity: {
    alias: 'i',
    type: 'string',
    array: true,
    value: 'FILE',
    part: 'ssh',
    about: 'private key; may be repeated',
  },
  jump: {
    alias: 'J',
    type: 'string',
    array: true,
    value: 'HOST[,HOST]',
    part: 'ssh',
    about: 'go through these hosts, the nearest first',
  },
  config: {
    alias: 'F',
    type: 'string',
    array: true,
    value: 'FILE',
    part: 'ssh',
    about: 'configuration instead of ~/.ssh/config',
  },
  option: {
    alias: 'o',
    type: 'string',
    array: true,
    value: 'NAME=VALUE',
    part: 'ssh',
    about: 'an ssh_config option; may be repeated',
  },
  compress: { alias: 'C', type: 'boolean', part: 'ssh', about: 'compress' },
  ipv4: { alias: '4', type: 'boolean', part: 'ssh', about: 'only IPv4' },
  ipv6: { alias: '6', type: 'boolean', part: 'ssh', about: 'only IPv6' },
  'no-command': { alias: 'N', type: 'boolean', part: 'ssh', about: 'accepted: a shell is never opened' },
  verbose: {
    alias: 'v',
    type: 'count',
    part: 'ssh',
    about: 'say what is done; -vv adds the messages of the SSH protocol',
  },
  quiet: { alias: 'q', type: 'boolean', part: 'ssh', about: 'only errors' },
  transport: {
    type: 'string',
    array: true,
    value: 'TRANSPORT',
    part: 'general',
    about: 'auto, ssh2 (our own) or openssh (the ssh program); default auto',
  },
  detach: {
    alias: 'd',
    type: 'boolean',
    part: 'session',
    about: 'also -f: leave it in the background when everything is open',
  },
  wait: { type: 'boolean', part: 'session', about: 'try again when the first connection fails, too' },
  hold: {
    type: 'string',
    array: true,
    value: 'TIME',
    part: 'session',
    about: 'how long a connection waits while the session is down; default 15s',
  },
  'retry-dial': {
    type: 'string',
    array: true,
    value: 'TIME',
    part: 'session',
    about: 'how long a target that refuses is tried again; default 2s',
  },
  reconnect: {
    type: 'string',
    array: true,
    value: 'WHEN',
    part: 'session',
    about: 'no, yes, or the shortest and longest wait: default 500ms..30s',
  },
  open: {
    type: 'boolean',
    part: 'session',
    about: 'show the first URL in the browser, once it answers',
  },
  http: {
    type: 'string',
    array: true,
    value: '[ADDR:]PORT',
    part: 'http',
    about: 'a reverse proxy here: several apps behind one port; needs routes',
  },
  route: {
    alias: 'r',
    type: 'string',
    array: true,
    value: 'ROUTE',
    part: 'http',
    about:
      '[HOST]/PATH=UPSTREAM[,keep-prefix][,spa]; UPSTREAM is a port or a socket there, or a folder here; may be repeated',
  },
  caddyfile: {
    type: 'string',
    array: true,
    value: 'FILE',
    otherwise: './Caddyfile',
    part: 'http',
    about: 'take the routes from a Caddyfile; without FILE ./Caddyfile; for any other name --caddyfile=FILE',
  },
  'remote-dir': {
    type: 'string',
    array: true,
    value: 'DIR',
    part: 'http',
    about: 'where relative sockets in it are from, there; default the home',
  },
  as: {
    type: 'string',
    array: true,
    value: 'NAME',
    part: 'http',
    about: 'the name that apps see, so that a login for production works here',
  },
  'allow-host': {
    type: 'string',
    array: true,
    value: 'NAME',
    part: 'http',
    about: 'answer to this name, too',
  },
  'allow-origin': {
    type: 'string',
    array: true,
    value: 'ORIGIN',
    part: 'http',
    about: 'let pages from there change things here',
  },
  spa: { type: 'boolean', part: 'http', about: 'folders answer unknown paths with their index.html' },
  'log-queries': { type: 'boolean', part: 'http', about: 'put query strings into the log' },
  'log-cookies': { type: 'boolean', part: 'http', about: 'put cookies into the log' },
  wireguard: {
    type: 'string',
    array: true,
    value: 'ADDR[,interface=NAME]',
    part: 'wireguard',
    about:
      'where HOST is in a WireGuard VPN: its ports are reached there while that is up, and over SSH when it is not, under the same local URL',
  },
  via: {
    type: 'string',
    array: true,
    value: 'WAY',
    part: 'wireguard',
    about: 'auto, wireguard or ssh; default auto',
  },
  standby: {
    type: 'boolean',
    part: 'wireguard',
    about: 'have the SSH connection ready while WireGuard is used',
  },
  follow: { type: 'boolean', part: 'command', about: 'with logs, also -f: go on as more is told' },
  all: {
    type: 'boolean',
    part: 'command',
    about: "with stop: every session; with scan: the system's services, too",
  },
  print: { type: 'boolean', part: 'command', about: 'with service: show the file, and do nothing' },
  description: {
    type: 'string',
    array: true,
    value: 'TEXT',
    part: 'command',
    about: 'with save: what it is for',
  },
  tag: {
    type: 'string',
    array: true,
    value: 'WORD',
    part: 'command',
    about: 'with save: a word to find it by; may be repeated',
  },
  force: { type: 'boolean', part: 'command', about: 'with profile import: replace what is there' },
  json: {
    type: 'boolean',
    part: 'general',
    about: 'one event a line on standard output; explain: one document',
  },
  help: {
    alias: 'h',
    type: 'boolean',
    part: 'general',
    about: 'help, also of one command: tunnel ls --help',
  },
  version: { alias: 'V', type: 'boolean', part: 'general', about: 'the version' },
} as const satisfies Record<string, Flag>;

export type FlagName = keyof typeof flags;

export const flagsByName: ReadonlyMap<string, Flag> = new Map(Object.entries(flags));
/** What letters stand for, unless a command means something else by them. */
export const letterNames: ReadonlyMap<string, FlagName> = new Map([
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
  const flag = flagsByName.get(name);
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
    const name = (Object.hasOwn(own, letter) ? own[letter] : undefined) ?? letterNames.get(letter);
    if (!name) throw unknownLetter(letter, word);
    if (flagsByName.get(name)?.type === 'string') {
      const joined = letters.slice(i + 1).join('');
      return [...expanded, `--${name}=${requireValue(`-${letter}`, joined || rest.shift())}`];
    }
    expanded.push(`--${name}=true`);
  }
  return expanded;
}

/** A file by its name, or because it is there; else a path that is no socket and no URL. The rest are hosts and specs. */
function isCaddyfile(word: string | undefined): boolean {
  if (word === undefined || word.startsWith('-')) return false;
  if (/(^|\/)[^/]*caddyfile[^/]*$/i.test(word)) return true;
  if (/^\d*$/.test(word)) return false;
  if (isFile(word)) return true;
  return word.includes('/') && !/[:=]|\.sock(et)?$|\/\.s\.[^/]*$/.test(word);
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
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
  const similar = closest(name, flagsByName.keys());
  return new UsageError('unknown-flag', `Unknown flag --${name}`, {
    hint: [similar === undefined ? seeHelp : `Did you mean --${similar}?`],
  });
}
