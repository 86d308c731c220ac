import { statSync } from 'node:fs';
import { closest } from '../closest.ts';
import { quoted } from '../endpoint.ts';
import { UsageError } from '../errors.ts';
import { flagsByName, letterNames, type Letters } from './flags.ts';

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

/** Where there may be flags among what `expandFlags` gave. */
export function beforeDashes(expanded: readonly string[]): readonly string[] {
  const end = expanded.indexOf('--');
  return end === -1 ? expanded : expanded.slice(0, end);
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
