import { randomBytes } from 'node:crypto';
import { posixCommand } from '../posix-command.ts';
import type { RemoteExec } from '../socket-probe.ts';

/** Where a list of listeners came from. */
export type Source = 'ss' | 'proc' | 'lsof' | 'sockstat' | 'netstat';

/** What the script says, by the names of its parts. */
export type Answers = ReadonlyMap<string, string>;

/** Folders in which servers are wont to put their sockets; how deep they are searched is bounded by time as well. */
const FOLDERS = '"$HOME" /srv /var/www /opt /run /var/run /tmp';

/**
 * Asks once for everything: who we are, what listens, and what may be seen of it.
 *
 * The kernel knows a socket by the path it was bound to. A relative one (`unix:app.sock`) is found again in the working
 * directories of the processes that we may look at, else by its name in the usual folders; which of them it is tells
 * the inode, which /proc does not have: there a name that was found the first way is not looked for the second. Nothing is written, and each part is cut to a bearable length.
 *
 * No `'`, no exclamation mark and no doubled backslash may be in here: see `posixCommand`.
 */
const SCRIPT = `
LC_ALL=C; export LC_ALL; PATH=\${PATH:-/usr/bin:/bin}:/usr/sbin:/sbin; m=$1;
say() { printf "\\n%s %s %s" "$m" "$1" "$2"; };
within() { if command -v timeout >/dev/null 2>&1; then timeout "$@"; else shift; "$@"; fi; };
say user "$(id -un)"; say uid "$(id -u)"; say home "$HOME"; say ssh "$SSH_CONNECTION";
x=; how=;
if t=$(ss -tlnpe 2>/dev/null); then
  how=ss; x=$(ss -xlpe 2>/dev/null | cut -c 1-600 | head -n 1000);
  n=$(printf "%s\\n" "$x" | sed -n "s/^u_str  *LISTEN  *[0-9]*  *[0-9]*  *\\(.*[^ ]\\)  *[0-9][0-9]*  *\\* 0.*/\\1/p");
elif t=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -E "^ *[0-9]+: [0-9A-F]+:[0-9A-F]+ [0-9A-F]+:0000 0A "); [ -r /proc/net/tcp ]; then
  how=proc; x=$(grep -E "^[0-9a-f]+: [0-9A-F]+ [0-9A-F]+ 0001[0-9A-F]{4} 0001 " /proc/net/unix 2>/dev/null | cut -c 1-600 | head -n 1000);
  n=$(printf "%s\\n" "$x" | sed -n "s/^[0-9a-f]*: [0-9A-F]* [0-9A-F]* 0001[0-9A-F]* 0001 [0-9A-F]*  *[0-9]* \\(.*\\)/\\1/p");
  say fds "$(ls -l /proc/[0-9]*/fd 2>/dev/null | sed -n -e "s/^\\(.proc.[0-9]*\\).fd:/\\1/p" -e "s/.* -> \\(socket:.*\\)/\\1/p" | head -n 20000)";
  say comms "$(grep -s "" /proc/[0-9]*/comm | head -n 3000)";
elif command -v lsof >/dev/null 2>&1; then
  how=lsof; t=$(within 6 lsof -nP -iTCP -sTCP:LISTEN -F pcLn 2>/dev/null); x=$(within 6 lsof -nP -U -F pcLn 2>/dev/null | head -n 5000);
  n=$(printf "%s\\n" "$x" | sed -n "s/^n\\(\\/.*\\)/\\1/p");
elif command -v sockstat >/dev/null 2>&1; then
  how=sockstat; t=$(sockstat -l -4 -6 2>/dev/null); x=$(sockstat -l -u 2>/dev/null);
  n=$(printf "%s\\n" "$x" | sed -n "s/.* \\(\\/.*\\)/\\1/p");
elif t=$(netstat -an 2>/dev/null); then
  how=netstat; x=$t; n=$(printf "%s\\n" "$x" | sed -n "s/.* \\(\\/.*\\)/\\1/p"); t=$(printf "%s\\n" "$t" | grep LISTEN);
fi;
say how "$how"; say tcp "$(printf "%s\\n" "$t" | cut -c 1-600 | head -n 1000)"; say unix "$x";
say passwd "$(cut -d : -f 1,3 /etc/passwd 2>/dev/null | head -n 3000)"; say group "$(cut -d : -f 1,3 /etc/group 2>/dev/null | head -n 3000)";
rel=$(printf "%s\\n" "$n" | grep -v -e "^[/@*]" -e "^$" | sort -u | head -n 100);
cwds=; if [ "$rel" ]; then cwds=$(ls -l /proc/[0-9]*/cwd 2>/dev/null | sed -n "s/.* -> //p" | sort -u | head -n 300); fi;
hits=$(printf "%s\\n" "$rel" | while read -r r; do
  if [ "$r" ]; then printf "%s\\n" "$cwds" | while read -r d; do if [ -S "$d/$r" ]; then printf "%s\\n" "$d/$r"; fi; done; fi;
done);
left=$rel;
if [ "$how" = proc ]; then left=$(printf "%s\\n" "$rel" | while read -r r; do case "$hits" in *"/$r"*) :;; *) printf "%s\\n" "$r";; esac; done); fi;
paths=$(
  printf "%s\\n" "$n" | grep "^/" | sort -u | head -n 500; printf "%s\\n" "$hits";
  if [ "$left" ]; then
    within 3 find ${FOLDERS} -maxdepth 4 -type s 2>/dev/null | head -n 500 | while read -r f; do
      if printf "%s\\n" "$left" | sed "s/.*\\///" | grep -qxF -e "\${f##*/}"; then printf "%s\\n" "$f"; fi;
    done;
  fi);
paths=$(printf "%s\\n" "$paths" | sort -u);
say paths "$(printf "%s\\n" "$paths" | while read -r f; do
  if [ -z "$f" ]; then :;
  elif [ -S "$f" ]; then
    if [ -w "$f" ]; then echo "yes $f"; else echo "no $f"; fi;
  else
    d=\${f%/*}; until [ -d "\${d:-/}" ]; do d=\${d%/*}; done;
    if [ -x "\${d:-/}" ]; then echo "gone $f"; else echo "barred $f"; fi;
  fi;
done)";
say files "$(printf "%s\\n" "$paths" | { set --; while read -r f; do if [ -S "$f" ]; then set -- "$@" "$f"; fi; done; if [ $# -gt 0 ]; then ls -dni "$@" 2>/dev/null; fi; })";
say done`;

/** How long the command may take there; what can take long in it is bounded by itself. */
const TIMEOUT_MS = 20_000;

/** What one command over there can see. Undefined if there is no POSIX shell to run it; rejects where nothing is run. */
export async function look(
  exec: (command: string, timeoutMs?: number) => ReturnType<RemoteExec>,
): Promise<Answers | undefined> {
  // Login scripts may print anything, but not this.
  const marker = randomBytes(8).toString('hex');
  const { stdout } = await exec(posixCommand(SCRIPT, marker), TIMEOUT_MS);
  const answers = new Map<string, string>();
  for (const answer of stdout.split(`\n${marker} `).slice(1)) {
    const [, name = '', value = ''] = /^(\w+) ?([^]*)$/.exec(answer) ?? [];
    answers.set(name, value);
  }
  return answers.has('done') ? answers : undefined;
}
