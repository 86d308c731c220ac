import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** LISTEN in proc(5)'s net/tcp. */
const LISTEN = '0A';

/** The inodes of the sockets with which a process listens on a port: another socket has another one. */
export function listeningInodes(pid: number, port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const listening = ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[1]?.endsWith(wanted) === true && fields[3] === LISTEN)
      .map((fields) => fields[9]),
  );
  return openSockets(pid)
    .filter((inode) => listening.includes(inode))
    .toSorted();
}

function openSockets(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
    } catch {
      // It was closed meanwhile.
      return [];
    }
  });
}
