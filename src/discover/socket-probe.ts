import { randomBytes } from 'node:crypto';
import { findSettings, parseSettings, type ForwardingSetting } from './forwarding-settings.ts';
import { posixCommand } from './posix-command.ts';

/** Runs one command on the other side; rejects where it offers no shell. */
export type RemoteExec = (command: string) => Promise<{ readonly stdout: string }>;

/** What was found on the way to a socket. */
export interface SocketFacts {
  readonly user: string;
  readonly uid: number;
  /** The groups of this login. */
  readonly gids: readonly number[];
  /** The groups of the account, which may have got more of them since. */
  readonly accountGids: readonly number[];
  /** The socket's absolute path, symbolic links not followed. */
  readonly path: string;
  /** Where the way ended: at its end, or at what `at` is about. */
  readonly end: 'reached' | 'missing' | 'not-a-directory' | 'barred' | 'link-loop';
  /** The place where it ended, free of symbolic links. */
  readonly at: string;
  /** What of the path was still to come. */
  readonly rest: string;
  /** What is there; absent unless `end` is `reached` or `barred`. */
  readonly file?: FileFacts;
  /** What the kernel listens on: as `ss -xlHe` or as /proc/net/unix says it; absent where neither can be had. */
  readonly listeners?: { readonly format: 'ss' | 'proc'; readonly text: string };
  /** What may keep sshd from opening it, as far as we may read it there; looked for only if it is a socket. */
  readonly settings: readonly ForwardingSetting[];
}

export interface FileFacts {
  /** As `ls -l` shows it: `srwxrwx---`. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  readonly owner: string;
  readonly group: string;
  readonly inode: number | undefined;
  /** Whether the kernel says that we may write, access lists included. */
  readonly writable: boolean;
}

/**
 * Walks to the socket as the kernel would, one name at a time, so that the first obstacle is found. `ls -ln` is in
 * POSIX with its columns. `stat` is not, and differs between GNU, BusyBox and BSD; it is asked for the names alone,
 * which the `ls` of BusyBox cuts after eight characters.
 *
 * A socket bound to a relative path has only that in the kernel's tables, and one that was renamed its old name;
 * hence the names that end alike, and the inode that `ss -e` shows.
 */
const SCRIPT = `
LC_ALL=C; export LC_ALL; PATH=\${PATH:-/usr/bin:/bin}:/usr/sbin:/sbin;
say() { printf "\\n%s %s %s" "$m" "$1" "$2"; };
m=$1; p=$(printf "%bx" "$2"); p=\${p%x};
case $p in /*) ;; "~") p=$HOME ;; "~/"*) p=$HOME/\${p#??} ;; *) p=$HOME/$p ;; esac;
u=$(id -un); say user "$u"; say uid "$(id -u)"; say gids "$(id -G)"; say account "$(id -G "$u" 2>/dev/null)";
say path "$p";
d=; r=$p; e=reached; hops=0;
while :; do
  while :; do case $r in /*) r=\${r#/} ;; *) break ;; esac; done;
  if [ -z "$r" ]; then break; fi;
  if [ -x "\${d:-/}" ]; then :; else e=barred; break; fi;
  c=\${r%%/*}; r=\${r#"$c"}; n=$d/$c;
  if [ "$c" = . ]; then continue; fi;
  if [ -L "$n" ]; then
    hops=$((hops + 1)); if [ $hops -gt 40 ]; then e=link-loop; d=$n; break; fi;
    t=$(readlink "$n"; echo x); t=\${t%?x}; case $t in /*) d= ;; esac; r=$t$r; continue;
  fi;
  d=$n;
  if [ -e "$n" ]; then :; else e=missing; break; fi;
  if [ -n "$r" ]; then if [ -d "$n" ]; then :; else e=not-a-directory; break; fi; fi;
done;
d=\${d:-/}; say end "$e"; say at "$d"; say rest "$r";
case $e in reached | barred)
  say ids "$(ls -ldn "$d" 2>/dev/null)";
  say names "$(stat -c %U:%G "$d" 2>/dev/null || stat -f %Su:%Sg "$d" 2>/dev/null)";
  i=$(ls -di "$d" 2>/dev/null); i=\${i%% /*}; say inode "$i";
  if [ -w "$d" ]; then say writable yes; fi;
  b=\${d##*/};
  if t=$(ss -xlHe 2>/dev/null); then
    say ss "$(printf "%s\\n" "$t" | grep -F -e "$b" -e "ino:\${i##* } " | cut -c 1-600 | head -n 500)";
  elif [ -r /proc/net/unix ]; then
    say proc "$(grep -F -e "$b" /proc/net/unix | cut -c 1-600 | head -n 500)";
  fi;
esac;
if [ -S "$d" ]; then ${findSettings} fi;
say done`;

/** Looks at a socket's path over there, in one command. Undefined if there is no POSIX shell to look with. */
export async function probeSocket(exec: RemoteExec, path: string): Promise<SocketFacts | undefined> {
  // Login scripts may print anything, but not this.
  const marker = randomBytes(8).toString('hex');
  const { stdout } = await exec(posixCommand(SCRIPT, marker, path));
  return parseProbe(stdout, marker);
}

function parseProbe(stdout: string, marker: string): SocketFacts | undefined {
  const answers = new Map<string, string>();
  for (const answer of stdout.split(`\n${marker} `).slice(1)) {
    const [, name = '', value = ''] = /^(\w+) ?([^]*)$/.exec(answer) ?? [];
    answers.set(name, value);
  }
  if (!answers.has('done')) return undefined;
  const answer = (name: string): string => answers.get(name) ?? '';
  const file = parseFile(answer);
  const listeners = parseListeners(answers);
  return {
    user: answer('user'),
    uid: Number(answer('uid')),
    gids: numbers(answer('gids')),
    accountGids: numbers(answer('account')),
    path: answer('path'),
    end: answer('end') as SocketFacts['end'],
    at: answer('at'),
    rest: answer('rest'),
    settings: parseSettings(answer('sshd'), answer('keys')),
    ...(file === undefined ? {} : { file }),
    ...(listeners === undefined ? {} : { listeners }),
  };
}

function parseFile(answer: (name: string) => string): FileFacts | undefined {
  const ids = /^(\S{10})\S*\s+\d+\s+(\d+)\s+(\d+)\s/.exec(answer('ids'));
  if (ids === null) return undefined;
  const [, mode = '', uid = '', gid = ''] = ids;
  const [, owner = '', group = ''] = /^([^:]*):(.*)$/.exec(answer('names')) ?? [];
  const inode = /^\s*(\d+)/.exec(answer('inode'))?.[1];
  return {
    mode,
    uid: Number(uid),
    gid: Number(gid),
    owner: known(owner) ?? uid,
    group: known(group) ?? gid,
    inode: inode === undefined ? undefined : Number(inode),
    writable: answer('writable') === 'yes',
  };
}

/** GNU and BusyBox print this in the place of a name that there is none for. */
function known(name: string): string | undefined {
  return name === '' || name === 'UNKNOWN' ? undefined : name;
}

function parseListeners(answers: ReadonlyMap<string, string>): SocketFacts['listeners'] {
  for (const format of ['ss', 'proc'] as const) {
    const text = answers.get(format);
    if (text !== undefined) return { format, text };
  }
  return undefined;
}

function numbers(text: string): number[] {
  return text.split(/\s+/).filter(Boolean).map(Number);
}
