import { posix } from 'node:path';
import type { SocketFacts } from './socket-probe.ts';

/** `full`: it listens, but does not accept what waits already, so that one more is refused. */
export type Listening = 'yes' | 'full' | 'no' | 'unknown';

interface Listener {
  /** As it was bound: absolute or relative. */
  readonly path: string;
  /** Of the file; only `ss` tells, and only its lowest 32 bits. */
  readonly inode: number | undefined;
  readonly full: boolean;
}

/** Whether something accepts connections on the socket. `no` is said only where it is certain. */
export function listening(facts: SocketFacts): Listening {
  if (facts.listeners === undefined) return 'unknown';
  const { format, text } = facts.listeners;
  const listeners = text.split('\n').flatMap((line) => (format === 'ss' ? fromSs(line) : fromProc(line)));
  const opinions = listeners.map((listener) => compare(listener, facts));
  return (['full', 'yes', 'unknown'] as const).find((opinion) => opinions.includes(opinion)) ?? 'no';
}

/** `u_str LISTEN 0 2048 app.sock 13352 * 0 <-> ino:2146381 dev:0/65024 peers:`, with queued and most queued. */
function fromSs(line: string): Listener[] {
  const match = /^u_str\s+LISTEN\s+(\d+)\s+(\d+)\s+(.+) \d+\s+\* 0\b(.*)$/.exec(line);
  if (match === null) return [];
  const [, queued = '', backlog = '', path = '', details = ''] = match;
  const inode = /\bino:(\d+)/.exec(details)?.[1];
  return [
    { path, inode: inode === undefined ? undefined : Number(inode), full: Number(queued) > Number(backlog) },
  ];
}

/** `address: refs protocol flags type state inode path`; that inode is not the file's. Flag 0x10000 is listening, type 1 a stream. */
function fromProc(line: string): Listener[] {
  const match = /^[0-9a-f]+: [0-9A-F]+ [0-9A-F]+ 0001[0-9A-F]{4} 0001 [0-9A-F]+ +\d+ (.+)$/.exec(line);
  return match === null ? [] : [{ path: match[1] ?? '', inode: undefined, full: false }];
}

function compare(listener: Listener, facts: SocketFacts): Listening {
  const inode = facts.file?.inode;
  const sameFile = listener.inode !== undefined && inode !== undefined && listener.inode === inode % 2 ** 32;
  const samePath = listener.path === facts.at || listener.path === facts.path;
  const sameName = posix.basename(listener.path) === posix.basename(facts.at);
  if (sameName && (sameFile || (samePath && listener.inode === undefined)))
    return listener.full ? 'full' : 'yes';
  // Renamed after it was bound, or by chance the same number on another file system.
  if (sameFile) return 'unknown';
  // The same path with another inode: a server whose file was replaced, or a file system that counts twice.
  if (samePath) return 'unknown';
  // Bound by a relative path, or by one with symbolic links; the inode would have told.
  return sameName && listener.inode === undefined ? 'unknown' : 'no';
}
