import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
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
 * nothing else of ours runs any more. What was written to it is the process to end, which has two seconds for that; ssh
 * itself watches nothing of the kind with -N.
 */
const GUARD = `
read -r pid && read -r _
if [ -n "$pid" ]; then
  kill "$pid"
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    kill -0 "$pid" || break
    sleep 0.1 || sleep 1
  done
  kill -9 "$pid"
fi 2>/dev/null
rm -rf "$1"
`;

/**
 * A directory of mode 0700 for the sockets of one connection. Its path is short, and it does not outlive us, however we
 * end.
 */
export class PrivateDir {
  readonly path: string;
  readonly #guard: ChildProcessByStdio<Writable, null, null>;

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
    // A session of its own, as it has to live through a Ctrl-C and a closed terminal.
    this.#guard = spawn('/bin/sh', ['-c', GUARD, 'sh', path], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#guard.on('error', () => undefined).unref();
    this.#guard.stdin.on('error', () => undefined);
  }

  /** Has the process `pid` ended, too, when this process is killed. */
  guard(pid: number): void {
    this.#guard.stdin.write(`${pid}\n`);
  }

  join(name: string): string {
    return join(this.path, name);
  }

  async remove(): Promise<void> {
    this.#guard.kill('SIGKILL');
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
