import { homeDirectory } from '../home.ts';
import { shellWord } from '../shell-word.ts';
import { showSettings } from './channel-refusal.ts';
import { excerpt } from './excerpt.ts';
import { FORWARDING_SETTINGS } from './forwarding-settings.ts';
import { listening } from './socket-listener.ts';
import { permissionHint } from './socket-permission.ts';
import type { SocketFacts } from './socket-probe.ts';

/** What is wrong: an error's code, what follows the colon of its message, and its hint. */
export interface Trouble {
  readonly code: string;
  readonly what: string;
  readonly hint: readonly string[];
}

/** sockaddr_un has 108 bytes on Linux, the last of them NUL. */
const LONGEST_PATH = 107;

const FILE_TYPES: ReadonlyMap<string, string> = new Map([
  ['-', 'a regular file'],
  ['d', 'a directory'],
  ['p', 'a named pipe'],
  ['b', 'a block device'],
  ['c', 'a character device'],
]);

/**
 * What keeps us from a socket, given what was seen on the way to it: undefined if that shows no obstacle. `alias` is the
 * host's name, for hints.
 */
export function diagnose(facts: SocketFacts, alias: string): Trouble | undefined {
  const { end, file } = facts;
  if (end === 'missing' || end === 'not-a-directory' || end === 'link-loop') return missing(facts, alias);
  if (file === undefined) return unseen(facts.user, `ls -l says nothing of ${facts.at}`);
  if (end === 'barred') return forbidden(permissionHint(facts, file));
  if (!file.mode.startsWith('s')) return notASocket(facts, file.mode, alias);
  if (!file.writable) return forbidden(permissionHint(facts, file));
  if (Buffer.byteLength(facts.path) > LONGEST_PATH) return tooLong(facts);
  switch (listening(facts)) {
    case 'no':
      return nobodyListening(facts, alias);
    case 'full':
      return queueFull(facts);
    default:
      return undefined;
  }
}

function missing(facts: SocketFacts, alias: string): Trouble {
  const hint = [whatIsMissing(facts), ...unquoted(facts), whatListens(alias)];
  return { code: 'socket-missing', what: 'no such socket', hint };
}

/** What the shell here makes of a `~`. */
function unquoted({ path, rest }: SocketFacts): string[] {
  const home = `${homeDirectory()}/`;
  if (!path.startsWith(home) || rest === '') return [];
  return [`A ~ without quotes is the home here; of the one there: '~/${excerpt(path.slice(home.length))}'`];
}

function whatIsMissing({ path, end, at, rest }: SocketFacts): string {
  const place = excerpt(at);
  if (end === 'link-loop') return `The symbolic link ${place} leads back to itself.`;
  if (end === 'not-a-directory') return `${place} is not a directory.`;
  if (rest !== '') return `The directory ${place} does not exist.`;
  const written = withoutDots(path);
  return at === written
    ? `There is no ${place}, but its directory is there.`
    : `${excerpt(written)} leads to ${place}, which does not exist.`;
}

/** `/a/./b//c` as `/a/b/c`. What `..` leads to depends on the symbolic links before it. */
function withoutDots(path: string): string {
  return path.replaceAll(/\/(?:\.?\/)+/g, '/');
}

function notASocket({ at }: SocketFacts, mode: string, alias: string): Trouble {
  const type = FILE_TYPES.get(mode.charAt(0)) ?? 'something else';
  return {
    code: 'socket-is-not-a-socket',
    what: `it is ${type}, not a socket`,
    hint: [`${excerpt(at)} is ${mode}.`, whatListens(alias)],
  };
}

function forbidden(hint: readonly string[]): Trouble {
  return { code: 'socket-permission', what: 'permission denied', hint };
}

function tooLong({ path }: SocketFacts): Trouble {
  return {
    code: 'socket-path-too-long',
    what: `its path has ${Buffer.byteLength(path)} bytes, and a socket's path at most ${LONGEST_PATH}`,
    hint: [`Make a shorter way to it: ln -s ${shellWord(excerpt(path))} /tmp/app.sock, and forward to that.`],
  };
}

function nobodyListening({ at }: SocketFacts, alias: string): Trouble {
  return {
    code: 'socket-nobody-listening',
    what: 'nothing listens on it',
    hint: [
      `${excerpt(at)} is what a server left that has ended (one in a container could not be seen). Start it again.`,
      whatListens(alias),
    ],
  };
}

function queueFull({ at }: SocketFacts): Trouble {
  return {
    code: 'socket-queue-full',
    what: 'its server does not accept connections fast enough',
    hint: [
      `The queue of ${excerpt(at)} is full: is the server busy or stuck? Gunicorn's --backlog makes it longer.`,
    ],
  };
}

/** The file is as it should be, but whether anything listens cannot be seen. */
export function undecided(facts: SocketFacts): Trouble {
  return {
    code: 'socket-unknown',
    what: 'the server does not say why',
    hint: [
      `${excerpt(facts.at)} is there and you may write to it, but whether anything listens on it cannot be seen.`,
      `Try on the host: curl --unix-socket ${shellWord(excerpt(facts.path))} http://localhost/`,
      `If that works, sshd does not permit it: ${showSettings(facts.user, FORWARDING_SETTINGS)}`,
    ],
  };
}

/** We could not look. */
export function unseen(user: string, why: string): Trouble {
  const name = excerpt(user);
  return {
    code: 'socket-unknown',
    what: 'the server does not say why',
    hint: [
      `It could not be looked at either: ${excerpt(why)}`,
      `Perhaps it does not exist, nothing listens on it, ${name} may not write to it or enter one of its directories,`,
      'or sshd does not permit it (AllowStreamLocalForwarding, AllowTcpForwarding, PermitOpen; restrict in authorized_keys).',
    ],
  };
}

function whatListens(alias: string): string {
  return `What is listened on there: ssh ${shellWord(alias)} ss -xl`;
}
