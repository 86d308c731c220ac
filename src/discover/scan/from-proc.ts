import { SocketAddress } from 'node:net';
import { bareAddress, type Process, type TcpListener, type UnixListener } from './listeners.ts';

/** Which process has a socket, by the socket's inode. */
export type Holders = ReadonlyMap<string, Process>;

/**
 * Lines of /proc/net/tcp and tcp6 that listen: `0: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 0 1404242 …`
 * with the address in words of the machine's own order, the user's number and the socket's inode.
 */
export function tcpFromProc(text: string, holders: Holders): TcpListener[] {
  return text.split('\n').flatMap((line) => {
    const [, address, port, uid, inode] =
      /^\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F]+:0000 0A \S+ \S+ \S+\s+(\d+)\s+\d+\s+(\d+)/.exec(
        line,
      ) ?? [];
    if (address === undefined || port === undefined) return [];
    const process = holders.get(inode ?? '');
    return [
      {
        address: bareAddress(readAddress(address)),
        port: Number.parseInt(port, 16),
        uid: Number(uid),
        ...(process && { process }),
      },
    ];
  });
}

/** Lines of /proc/net/unix: `address: refs protocol flags type state inode path`; that inode is not the file's. */
export function unixFromProc(text: string, holders: Holders): UnixListener[] {
  return text.split('\n').flatMap((line) => {
    const [, inode = '', path] =
      /^[0-9a-f]+: [0-9A-F]+ [0-9A-F]+ 0001[0-9A-F]{4} 0001 [0-9A-F]+ +(\d+) (.+)$/.exec(line) ?? [];
    if (path === undefined) return [];
    const process = holders.get(inode);
    return [{ path, ...(process && { process }) }];
  });
}

/** `fds` has `/proc/412` and below it `socket:[INODE]` for each that it has; `comms` `/proc/412/comm:gunicorn`. */
export function holdersFromProc(fds: string, comms: string): Holders {
  const names = new Map<number, string>();
  for (const line of comms.split('\n')) {
    const [, pid, name] = /^\/proc\/(\d+)\/comm:(.*)$/.exec(line) ?? [];
    if (name !== undefined) names.set(Number(pid), name);
  }
  const holders = new Map<string, Process>();
  let pid = 0;
  for (const line of fds.split('\n')) {
    pid = Number(/^\/proc\/(\d+)$/.exec(line)?.[1] ?? pid);
    const inode = /^socket:\[(\d+)\]$/.exec(line)?.[1];
    if (inode === undefined) continue;
    const known = holders.get(inode);
    if (known === undefined || pid < known.pid)
      holders.set(inode, { name: names.get(pid) ?? String(pid), pid });
  }
  return holders;
}

/** Little-endian words: all machines that this meets are. */
function readAddress(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).toReversed());
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  const groups = bytes.join('').match(/.{4}/g) ?? [];
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}
