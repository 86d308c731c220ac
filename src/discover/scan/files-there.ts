/** A path that something is bound to, and what may be seen of its file. */
export interface FileThere {
  readonly path: string;
  /** Whether we may connect; `barred`: a folder before it may not be entered; `gone`: there is no such socket. */
  readonly state: 'yes' | 'no' | 'barred' | 'gone';
  /** NaN where it cannot be seen. */
  readonly inode: number;
  readonly mode?: string;
  readonly owner?: string;
  readonly group?: string;
}

type Names = ReadonlyMap<number, string>;

/** From `NAME:NUMBER` lines. */
export function namesOf(text: string): Names {
  const names = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [, name, id] = /^([^:]+):(\d+)$/.exec(line) ?? [];
    if (name !== undefined && !names.has(Number(id))) names.set(Number(id), name);
  }
  return names;
}

/** `states` has `yes /path`, `files` what `ls -dni` says of those that are there. */
export function filesThere(states: string, files: string, users: Names, groups: Names): FileThere[] {
  const seen = new Map(files.split('\n').flatMap((line) => readLs(line, users, groups)));
  return states.split('\n').flatMap((line) => {
    const [, state, path = ''] = /^(yes|no|barred|gone) (\/.*)$/.exec(line) ?? [];
    if (state === undefined) return [];
    return [{ path, state: state as FileThere['state'], inode: Number.NaN, ...seen.get(path) }];
  });
}

type Seen = Pick<FileThere, 'inode' | 'mode' | 'owner' | 'group'>;

/** `2146381 srwxrwx--- 1 1000 33 0 Nov 25 01:54 /srv/app/app.sock` */
function readLs(line: string, users: Names, groups: Names): [string, Seen][] {
  const [, inode = '', mode = '', uid = '', gid = '', path] =
    /^\s*(\d+)\s+(\S{10})\S*\s+\d+\s+(\d+)\s+(\d+)\s+\d+\s+\S+\s+\S+\s+\S+ (\/.*)$/.exec(line) ?? [];
  if (path === undefined) return [];
  const owner = users.get(Number(uid)) ?? uid;
  return [[path, { inode: Number(inode), mode, owner, group: groups.get(Number(gid)) ?? gid }]];
}
