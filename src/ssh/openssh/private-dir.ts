import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConnectError, systemCode } from '../../errors.ts';

/**
 * The longest temporary directory that still leaves room for a socket in ours: a socket's path has at most 103 bytes
 * on macOS, and while ssh binds its control socket it adds a dot and 16 letters to the name (mux.c, muxserver_listen).
 */
const LONGEST_BASE = 60;
/** What needs no quoting wherever ssh, a shell or ssh_config reads a path. */
const PLAIN_PATH = /^[\w./-]+$/;

/**
 * Waits for the end of its standard input, whose other end only this process holds: the kernel closes it even when
 * nothing else of ours runs any more. ssh itself watches nothing of the kind with -N.
 */
const GUARD = `
read -r _
if [ -n "$2" ]; then
  kill "$2" && sleep 2 && kill -9 "$2"
fi 2>/dev/null
rm -rf "$1"
`;

/** A directory of mode 0700 for the sockets of one connection. Its path is short, and it does not outlive us. */
export class PrivateDir {
  readonly path: string;
  #guard: ChildProcess | undefined;

  /** Throws a `ConnectError`. Whoever creates it removes it. */
  static async create(): Promise<PrivateDir> {
    const preferred = tmpdir();
    const base = PLAIN_PATH.test(preferred) && preferred.length <= LONGEST_BASE ? preferred : '/tmp';
    try {
      return new PrivateDir(await mkdtemp(join(base, 'tunnel-')));
    } catch (cause) {
      throw noDirectory(base, cause);
    }
  }

  private constructor(path: string) {
    this.path = path;
  }

  /** Has the process `pid` ended and the directory removed when this process is killed, however that happens. */
  guard(pid?: number): void {
    const args = ['-c', GUARD, 'sh', this.path, pid === undefined ? '' : String(pid)];
    // A session of its own, as it has to live through a Ctrl-C and a closed terminal.
    this.#guard = spawn('/bin/sh', args, { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    this.#guard.on('error', () => undefined).unref();
  }

  join(name: string): string {
    return join(this.path, name);
  }

  async remove(): Promise<void> {
    this.#guard?.kill('SIGKILL');
    await rm(this.path, { recursive: true, force: true });
  }
}

function noDirectory(base: string, cause: unknown): ConnectError {
  const why = systemCode(cause) ?? String(cause);
  return new ConnectError('temp-dir', `Cannot make a directory for ssh's sockets in ${base}: ${why}`, {
    cause,
    hint: ['Name another place that you may write to: TMPDIR=DIRECTORY.'],
  });
}
