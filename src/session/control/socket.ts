import { lstatSync, mkdirSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makePrivateDirectory, runtimeDirectory } from '../../config/directories.ts';
import { formatDestination } from '../../config/destination.ts';
import type { Destination, SshFlags } from '../../config/settings.ts';
import { ListenError, systemCode } from '../../errors.ts';

/** macOS's limit for `sun_path`, the shortest of those that we meet. */
const LONGEST_PATH = 103;
const SUFFIX = '.sock';
/** Nobody needs longer for a claim; what is older was left by a process that was killed in it. */
const STALE_CLAIM_MS = 5000;
const CLAIM_PAUSE_MS = 20;

/** What a session is called: the destination as the person wrote it, with `-l` and `-p`. */
export function sessionName(destination: Destination, flags: SshFlags): string {
  const user = flags.user ?? destination.user;
  const port = flags.port ?? destination.port;
  return formatDestination({
    host: destination.host,
    ...(user !== undefined && { user }),
    ...(port !== undefined && { port }),
  });
}

/** The control socket of a session. The name stays readable unless the path would be too long. */
export function controlSocketPath(name: string, directory = runtimeDirectory()): string {
  const readable = join(directory, encodeURIComponent(name) + SUFFIX);
  if (Buffer.byteLength(readable) <= LONGEST_PATH) return readable;
  // Few names are that long, and node:crypto takes long to load.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 16);
  const short = join(directory, hash + SUFFIX);
  if (Buffer.byteLength(short) <= LONGEST_PATH) return short;
  throw new ListenError('path-too-long', `The path of a control socket would be too long: ${short}`, {
    hint: ['Choose a directory with a shorter name with TUNNEL_RUNTIME_DIR.'],
  });
}

/** What the session of a control socket is called, as far as the file's name tells. */
export function nameOfSocket(path: string): string {
  const file = basename(path, SUFFIX);
  try {
    return decodeURIComponent(file);
  } catch {
    return file;
  }
}

/** Every control socket that there is, alive or not. */
export function controlSockets(directory = runtimeDirectory()): string[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
  if (names.length > 0) makePrivateDirectory(directory);
  return names.filter((name) => name.endsWith(SUFFIX)).map((name) => join(directory, name));
}

/**
 * Runs `listen` if nobody answers at `path`, after removing what a dead process left there; fulfils with undefined if
 * somebody does. Of two that claim at the same moment one gets it: the directory beside the socket is the lock, which
 * mkdir(2) makes for one of them only. Throws a `ListenError`, or the reason of `signal`.
 */
export async function claim<T>(
  path: string,
  listen: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T | undefined> {
  const lock = `${path}.claim`;
  while (!tryLock(lock)) await delay(CLAIM_PAUSE_MS, undefined, signal && { signal });
  try {
    if (await isAlive(path)) return undefined;
    remove(path);
    return await listen();
  } finally {
    unlock(lock);
  }
}

/** Removes the socket at `path` if nobody answers on it. */
export async function removeIfDead(path: string): Promise<void> {
  await claim(path, async () => undefined);
}

/** Whether something answers there. A process that is stopped counts: the kernel accepts for it. */
export function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // With a full backlog (EAGAIN) somebody is there, too.
    socket.once('error', (error) => resolve(!['ECONNREFUSED', 'ENOENT'].includes(systemCode(error) ?? '')));
  });
}

function tryLock(lock: string): boolean {
  try {
    mkdirSync(lock, { mode: 0o700 });
    return true;
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    if (isStale(lock)) unlock(lock);
    return false;
  }
}

/** One that was made in the future is as old as one of the past: the clock was set back. */
function isStale(lock: string): boolean {
  const made = lstatSync(lock, { throwIfNoEntry: false });
  if (made === undefined) return false;
  if (!made.isDirectory()) throw inTheWay(lock);
  return Math.abs(Date.now() - made.mtimeMs) > STALE_CLAIM_MS;
}

function inTheWay(lock: string): ListenError {
  return new ListenError('control-socket', `Cannot make a control socket: ${lock} is not a directory`, {
    hint: ['No tunnel has made it. Take it away, and try again.'],
  });
}

function unlock(lock: string): void {
  try {
    rmdirSync(lock);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
