import { shellWord } from '../shell-word.ts';
import { excerpt } from './excerpt.ts';
import type { FileFacts, SocketFacts } from './socket-probe.ts';

/** A file's three classes of users, in the order of its mode's letters; the kernel asks the first that fits and no other. */
const CLASSES = ['owner', 'group', 'others'] as const;
type Class = (typeof CLASSES)[number];

/** What is missing: to enter a directory, or to write to the socket, which connecting counts as. */
type Right = 'x' | 'w';

type Cause = 'unseen' | 'owner' | 'group' | 'others' | 'not-in-group' | 'not-in-group-at-login';

/** Why the file that stopped us did so: what it is, who we are, and what would let us pass. */
export function permissionHint(facts: SocketFacts, file: FileFacts): string[] {
  const right = facts.end === 'barred' ? 'x' : 'w';
  const cause = findCause(facts, file, right);
  const subject = right === 'x' ? `The directory ${excerpt(facts.at)}` : 'The socket';
  const seen = `${subject} is ${file.mode} ${excerpt(file.owner)}:${excerpt(file.group)}`;
  const user = excerpt(facts.user);
  return [
    `${seen}; you are ${user}, ${standing(cause, excerpt(file.group), right)}.`,
    ...remedy(cause, facts, file, right),
  ];
}

function findCause(facts: SocketFacts, file: FileFacts, right: Right): Cause {
  const own = classOf(facts, file);
  if (grants(file, own, right)) return 'unseen';
  if (own !== 'others') return own;
  if (!grants(file, 'group', right)) return 'others';
  return facts.accountGids.includes(file.gid) ? 'not-in-group-at-login' : 'not-in-group';
}

function classOf(facts: SocketFacts, file: FileFacts): Class {
  if (facts.uid === file.uid) return 'owner';
  return facts.gids.includes(file.gid) ? 'group' : 'others';
}

/** `srwxrwx---`. An `s` or `t` in the place of an `x` includes it, an `S` or `T` does not. */
function grants({ mode }: FileFacts, whose: Class, right: Right): boolean {
  const start = 1 + 3 * CLASSES.indexOf(whose);
  return right === 'w' ? mode[start + 1] === 'w' : /[xst]/.test(mode[start + 2] ?? '');
}

function standing(cause: Cause, group: string, right: Right): string {
  const pass = right === 'x' ? 'enter it' : 'write to it';
  switch (cause) {
    case 'unseen':
      return 'whom this lets pass, but something else does not';
    case 'owner':
      return `its owner, who may not ${pass}`;
    case 'group':
      return `in ${group}, which may not ${pass}`;
    case 'others':
      return `and only its owner may ${pass}`;
    case 'not-in-group':
      return `who is not in ${group}`;
    default:
      return `who is in ${group} but was not yet when this connection logged in`;
  }
}

function remedy(cause: Cause, facts: SocketFacts, file: FileFacts, right: Right): string[] {
  const path = shellWord(excerpt(facts.at));
  switch (cause) {
    case 'unseen':
      return [`It may be an access list or a security module; see: getfacl ${path}`];
    case 'owner':
      return [`Run: chmod u+${right} ${path}`];
    case 'group':
      if (right === 'x') return [`Run: sudo chmod g+x ${path}`];
      return [`Start its server with umask 007 (Gunicorn: -m 007), or: sudo chmod g+w ${path}`];
    case 'others':
      return [
        right === 'x' ? `To let everybody pass through it: sudo chmod o+x ${path}` : `${startAs(facts)}.`,
      ];
    case 'not-in-group':
      // Who is put into group 0 may do much more than pass here.
      return file.gid === 0 ? remedy('others', facts, file, right) : joinGroup(facts, file, right);
    default:
      return ['Connect again: groups are given at login.'];
  }
}

function joinGroup(facts: SocketFacts, file: FileFacts, right: Right): string[] {
  const join = `sudo usermod -aG ${shellWord(excerpt(file.group))} ${shellWord(excerpt(facts.user))}`;
  return [
    right === 'x' ? `Run: ${join}` : `${startAs(facts)}, or: ${join}`,
    'Then connect again: groups are given at login.',
  ];
}

function startAs({ user }: SocketFacts): string {
  return `Start its server as ${excerpt(user)} (Gunicorn: with -m 007)`;
}
