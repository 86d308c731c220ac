import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { endianness } from 'node:os';
import { SocketAddress } from 'node:net';
import { basename } from 'node:path';

/** Who listens on a port: the process, or only its user where the process is another user's. */
export type PortHolder =
  | { readonly kind: 'process'; readonly pid: number; readonly name: string }
  | { readonly kind: 'user'; readonly uid: number };

/**
 * Finds who listens on this address (not a name) and port, with the system's own means. Undefined when it cannot be
 * seen, as another user's processes on most systems. Never throws.
 */
export async function findPortHolder(address: string, port: number): Promise<PortHolder | undefined> {
  try {
    return process.platform === 'linux' ? await fromProc(address, port) : await fromLsof(port);
  } catch {
    return undefined;
  }
}

/** A row of /proc/net/tcp or tcp6; see proc(5). */
interface ListeningSocket {
  readonly address: string;
  readonly port: number;
  readonly uid: number;
  readonly inode: string;
}

async function fromProc(address: string, port: number): Promise<PortHolder | undefined> {
  const sockets = await listeningSockets();
  const socket = sockets.find((held) => held.port === port && overlap(held.address, address));
  if (socket === undefined) return undefined;
  const pid = await processWith(`socket:[${socket.inode}]`);
  return pid === undefined
    ? { kind: 'user', uid: socket.uid }
    : { kind: 'process', pid, name: await processName(pid) };
}

async function listeningSockets(): Promise<readonly ListeningSocket[]> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((table) => readFile(table, 'ascii').catch(() => '')),
  );
  const listening = '0A';
  return tables
    .flatMap((table) => table.split('\n').slice(1))
    .map((row) => row.trim().split(/\s+/))
    .filter((columns) => columns[3] === listening)
    .map((columns) => {
      const [address = '', port = ''] = (columns[1] ?? '').split(':');
      return {
        address: readAddress(address),
        port: Number.parseInt(port, 16),
        uid: Number(columns[7]),
        inode: columns[9] ?? '',
      };
    });
}

/** The kernel prints each 32-bit word of an address in the machine's own byte order. */
function readAddress(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  if (endianness() === 'LE') bytes.swap32();
  if (bytes.length === 4) return bytes.join('.');
  const groups = (bytes.toString('hex').match(/.{4}/g) ?? []).join(':');
  return new SocketAddress({ address: groups, family: 'ipv6' }).address;
}

function overlap(a: string, b: string): boolean {
  const wildcards = ['0.0.0.0', '::'];
  return a === b || wildcards.includes(a) || wildcards.includes(b);
}

/** The lowest process with this file open: where several share a listener, that is the parent. */
async function processWith(link: string): Promise<number | undefined> {
  const entries = await readdir('/proc');
  const pids = entries.filter((entry) => /^\d+$/.test(entry)).map(Number);
  for (const pid of pids.toSorted((a, b) => a - b)) {
    const folder = `/proc/${pid}/fd`;
    const files = await readdir(folder).catch(() => []);
    const links = await Promise.all(files.map((file) => readlink(`${folder}/${file}`).catch(() => '')));
    if (links.includes(link)) return pid;
  }
  return undefined;
}

async function processName(pid: number): Promise<string> {
  const name = (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
  // Recent versions of Node.js name their main thread, and with it the process, after its role.
  return name.endsWith('MainThread') ? basename(await readlink(`/proc/${pid}/exe`)) : name;
}

/** From the output of lsof that is made for programs: a line starting with `p` for the process, `c` for its name. */
export async function fromLsof(port: number): Promise<PortHolder | undefined> {
  const output = await new Promise<string>((resolve) => {
    const options = { timeout: 5_000 };
    execFile('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], options, (_error, stdout) =>
      resolve(stdout),
    );
  });
  const match = /^p(\d+)\nc(.+)$/m.exec(output);
  return match === null ? undefined : { kind: 'process', pid: Number(match[1]), name: match[2] ?? '' };
}
