import { formatSpec } from '../../spec.ts';
import type { FoundPort, FoundSocket } from './found.ts';
import {
  tcpFromLsof,
  tcpFromNetstat,
  tcpFromSockstat,
  unixFromLsof,
  unixFromNetstat,
  unixFromSockstat,
} from './from-bsd.ts';
import { holdersFromProc, tcpFromProc, unixFromProc } from './from-proc.ts';
import { tcpFromSs, unixFromSs } from './from-ss.ts';
import type { TcpListener, UnixListener } from './listeners.ts';
import type { Answers, Source } from './script.ts';
import { filesThere, namesOf, type FileThere } from './files-there.ts';
import { isSystemPort, isSystemSocket } from './system-services.ts';

/** What the one command could see, before anything was dialled. */
export interface Listed {
  readonly source: Source;
  readonly user: string;
  readonly isRoot: boolean;
  readonly ports: readonly FoundPort[];
  readonly sockets: readonly FoundSocket[];
  /** Sockets that were bound to a relative path which is not known. */
  readonly lost: readonly string[];
}

/** Undefined where the script found nothing that lists listeners. */
export function listed(answers: Answers): Listed | undefined {
  const answer = (name: string): string => answers.get(name) ?? '';
  const source = answer('how') as Source | '';
  if (source === '') return undefined;
  const { tcp, unix } = listeners(source, answer);
  const users = namesOf(answer('passwd'));
  const files = filesThere(answer('paths'), answer('files'), users, namesOf(answer('group')));
  const home = answer('home');
  const { sockets, lost } = toSockets(unix, files, home);
  return {
    source,
    user: answer('user'),
    isRoot: answer('uid') === '0',
    ports: toPorts(tcp, users, sshPort(answer('ssh'))),
    sockets,
    lost,
  };
}

function listeners(
  source: Source,
  answer: (name: string) => string,
): { tcp: readonly TcpListener[]; unix: readonly UnixListener[] } {
  const [tcp, unix] = [answer('tcp'), answer('unix')];
  switch (source) {
    case 'ss':
      return { tcp: tcpFromSs(tcp), unix: unixFromSs(unix) };
    case 'proc': {
      const holders = holdersFromProc(answer('fds'), answer('comms'));
      return { tcp: tcpFromProc(tcp, holders), unix: unixFromProc(unix, holders) };
    }
    case 'lsof':
      return { tcp: tcpFromLsof(tcp), unix: unixFromLsof(unix) };
    case 'sockstat':
      return { tcp: tcpFromSockstat(tcp), unix: unixFromSockstat(unix) };
    case 'netstat':
      return { tcp: tcpFromNetstat(tcp), unix: unixFromNetstat(unix) };
  }
}

/** One entry a port and process: a server listens on both loopback addresses as a rule. */
function toPorts(
  listeners: readonly TcpListener[],
  users: ReadonlyMap<number, string>,
  ssh: number | undefined,
): FoundPort[] {
  const ports = new Map<string, FoundPort>();
  for (const { port, address, uid, owner = nameOf(users, uid), process } of listeners) {
    const key = `${port} ${owner} ${process?.name}`;
    const known = ports.get(key);
    const addresses = [...new Set([...(known?.addresses ?? []), address])];
    ports.set(key, {
      port,
      addresses,
      spec: portSpec(port, addresses),
      ...(owner !== undefined && { owner }),
      ...(process !== undefined && { process: known?.process ?? process }),
      access: 'unknown',
      caddy: [],
      system: port === ssh || isSystemPort(port, process?.name),
    });
  }
  return [...ports.values()].toSorted((a, b) => a.port - b.port);
}

/** Of `SSH_CONNECTION`, which is the client's address and port, and the server's. */
function sshPort(connection: string): number | undefined {
  const port = connection.split(' ')[3];
  return port === undefined ? undefined : Number(port);
}

function nameOf(users: ReadonlyMap<number, string>, uid: number | undefined): string | undefined {
  return uid === undefined ? undefined : (users.get(uid) ?? String(uid));
}

/** The port alone where localhost reaches it; `::1` alone is spelt out, for localhost may be IPv4 only there. */
export function portSpec(port: number, addresses: readonly string[]): string {
  const host = hostOf(addresses);
  return formatSpec({ kind: 'local', listen: { kind: 'tcp', port }, connect: { kind: 'tcp', host, port } });
}

/** Which host to connect to there. */
export function hostOf(addresses: readonly string[]): string {
  const isLocal = addresses.some((address) => address === '*' || /^127\.0\.0\.1$/.test(address));
  return isLocal ? 'localhost' : (addresses[0] ?? 'localhost');
}

function toSockets(
  listeners: readonly UnixListener[],
  files: readonly FileThere[],
  home: string,
): { sockets: FoundSocket[]; lost: string[] } {
  const sockets = new Map<string, FoundSocket>();
  const lost = new Set<string>();
  for (const listener of listeners) {
    // Abstract sockets of Linux and sockets without a name cannot be forwarded to.
    if (/^[@*]/.test(listener.path)) continue;
    const file = fileOf(listener, files);
    const path = file?.path ?? listener.path;
    if (!path.startsWith('/')) lost.add(path);
    // A socket whose file was replaced or removed cannot be connected to.
    else if (file !== undefined && file.state !== 'gone') {
      const known = sockets.get(path);
      sockets.set(path, known?.process ? known : toSocket(path, listener, file, home));
    }
  }
  const all = [...sockets.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return { sockets: all, lost: [...lost] };
}

function toSocket(
  path: string,
  { owner, process }: UnixListener,
  file: FileThere,
  home: string,
): FoundSocket {
  const name = file.owner ?? owner;
  return {
    path,
    spec: socketSpec(path, home),
    ...(name !== undefined && { owner: name }),
    ...(file.group !== undefined && { group: file.group }),
    ...(file.mode !== undefined && { mode: file.mode }),
    ...(process !== undefined && { process }),
    access: file.state === 'yes' ? 'yes' : 'no',
    ...whyNot(file),
    caddy: [],
    system: isSystemSocket(path, process?.name),
  };
}

function whyNot({ state, mode, owner, group }: FileThere): { why?: string } {
  if (state === 'yes') return {};
  return {
    why:
      mode === undefined ? 'its folder may not be entered' : `permission denied: ${mode} ${owner}:${group}`,
  };
}

export function socketSpec(path: string, home: string): string {
  const short = home.length > 1 && path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
  return formatSpec({
    kind: 'local',
    listen: { kind: 'tcp', port: 'auto' },
    connect: { kind: 'unix', path: short },
  });
}

/** The file that the listener is bound to. Its inode tells; without one, a name that only one file has. */
function fileOf({ path, inode }: UnixListener, files: readonly FileThere[]): FileThere | undefined {
  if (path.startsWith('/')) return files.find((file) => file.path === path);
  const alike = files.filter((file) => file.path.endsWith(`/${path.replace(/^(\.\/)+/, '')}`));
  const same = inode === undefined ? alike : alike.filter((file) => file.inode % 2 ** 32 === inode);
  return same.length === 1 ? same[0] : undefined;
}
