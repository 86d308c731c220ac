import { chmodSync, lstatSync, mkdtempSync, renameSync, rmSync, type Stats, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { ListenError, systemCode } from '../errors.ts';
import { localSocketPath } from '../spec.ts';
import { type Acceptor, type Listener, startServer, stopServer } from './server.ts';

/**
 * Listens on a Unix socket of this mode. A leftover that nothing answers on is replaced; a live socket
 * (`socket-in-use`) and anything else (`not-a-socket`) are refused with a `ListenError`. Rejects with the system's
 * error for what else fails.
 *
 * The socket is made in a private folder beside its place and then renamed to it. So it never has another mode, without
 * touching the umask of the whole process; it replaces a leftover in one step; and since libuv unlinks the path that
 * was bound when the server closes, whatever stands at `path` by then is left to us to judge.
 */
export async function listenUnix(path: string, mode: number, acceptor: Acceptor): Promise<Listener> {
  const place = localSocketPath(path);
  const leftover = lookAt(place);
  if (leftover !== undefined) await refuseUnlessDead(place, leftover);

  const folder = mkdtempSync(join(dirname(place), '.'));
  const draft = join(folder, 's');
  try {
    refuseLongPath(place, draft);
    const server = await startServer({ path: draft }, acceptor);
    try {
      chmodSync(draft, mode);
      if (!sameFile(leftover, lookAt(place))) throw inUse(place, 'something else was put there just now');
      renameSync(draft, place);
    } catch (error) {
      await stopServer(server);
      throw error;
    }
    // While the socket is open its inode is not given to another file.
    let ours = lookAt(place);
    return {
      bound: [{ kind: 'unix', path: place }],
      close: () => {
        // Before the server stops, so that nobody meets a dead socket.
        removeIfSame(place, ours);
        ours = undefined;
        return stopServer(server);
      },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function removeIfSame(place: string, ours: Stats | undefined): void {
  try {
    if (ours !== undefined && sameFile(ours, lookAt(place))) unlinkSync(place);
  } catch {
    // The folder may have become read-only. A leftover does no harm: the next listener replaces it.
  }
}

async function refuseUnlessDead(place: string, found: Stats): Promise<void> {
  if (!found.isSocket()) {
    throw new ListenError('not-a-socket', `Cannot listen on ${place}: there is a file that is not a socket`, {
      hint: ['Remove it, or write another path.'],
    });
  }
  const answer = await knock(place);
  if (answer === undefined) throw inUse(place, 'something listens on it');
  // Gone, or left behind by a process that is.
  if (answer === 'ECONNREFUSED' || answer === 'ENOENT') return;
  throw inUse(place, `there is a socket, and whether something listens on it cannot be told (${answer})`);
}

/** Connects and hangs up: undefined if something answered, else the system's code. */
function knock(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error) => resolve(systemCode(error) ?? error.message));
  });
}

function inUse(place: string, why: string): ListenError {
  return new ListenError('socket-in-use', `Cannot listen on ${place}: ${why}`, {
    hint: ['Stop what listens there, or write another path.'],
  });
}

/** A longer path would be cut off silently by some systems. */
function refuseLongPath(place: string, draft: string): void {
  const longest = process.platform === 'linux' ? 107 : 103;
  const length = Math.max(Buffer.byteLength(place), Buffer.byteLength(draft));
  if (length <= longest) return;
  throw new ListenError(
    'path-too-long',
    `Cannot listen on ${place}: the path is ${length - longest} bytes too long`,
    {
      hint: ['Write a socket in a folder with a shorter name.'],
    },
  );
}

function lookAt(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function sameFile(a: Stats | undefined, b: Stats | undefined): boolean {
  return a?.dev === b?.dev && a?.ino === b?.ino;
}
