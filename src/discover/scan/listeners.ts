/** A process as far as it may be seen: that of another user is not, without root. */
export interface Process {
  readonly name: string;
  readonly pid: number;
}

/** One listening TCP socket. */
export interface TcpListener {
  /** `*` for every address; an IPv6 address has no brackets. */
  readonly address: string;
  readonly port: number;
  readonly uid?: number;
  readonly owner?: string;
  readonly process?: Process;
}

/** One listening Unix socket. */
export interface UnixListener {
  /** As it was bound: absolute or relative. */
  readonly path: string;
  /** The lowest 32 bits of the file's. */
  readonly inode?: number;
  readonly owner?: string;
  readonly process?: Process;
}

/** The address of a wildcard, however it is written: `0.0.0.0`, `[::]`, `*`. */
export function bareAddress(text: string): string {
  const address = text
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/%.*$/, '')
    .replace(/^::ffff:(?=\d+\.)/i, '');
  return ['', '*', '0.0.0.0', '::'].includes(address) ? '*' : address;
}

/** `ADDRESS:PORT`, or `ADDRESS.PORT` as BSD writes it. */
export function splitAddress(text: string): { address: string; port: number } | undefined {
  const [, address = '', port = ''] = /^(.*)[:.](\d+)$/.exec(text) ?? [];
  return port === '' ? undefined : { address: bareAddress(address), port: Number(port) };
}
