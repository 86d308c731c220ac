import { mkdirSync, readFileSync, rmdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { systemCode, UsageError } from '../errors.ts';

const PAUSE_MS = 20;
/** What is done under a lock takes milliseconds; a process id that is in use again must not keep it for ever. */
const STALE_MS = 10_000;
const LIMIT_MS = 30_000;

/**
 * Runs `change` while no other process does with the same lock. A lock that was left by a process that was killed is
 * taken away. Throws a `UsageError` (`locked`) where it cannot be had.
 */
export async function withLock<T>(path: string, change: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + LIMIT_MS; !tryLock(path); await delay(PAUSE_MS)) {
    breakStale(path);
    if (Date.now() > deadline) {
      throw new UsageError('locked', `Another process keeps ${path}`, {
        hint: ['If none is running, remove that file.'],
      });
    }
  }
  try {
    return await change();
  } finally {
    remove(path);
  }
}

function tryLock(path: string): boolean {
  try {
    writeFileSync(path, `${process.pid}\n`, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Of two processes that see the same dead lock, the slower one must not remove the one that the faster has made since:
 * who removes it does so under a lock of its own, and looks again.
 */
function breakStale(path: string): void {
  if (!isStale(path)) return;
  const breaker = `${path}.break`;
  try {
    mkdirSync(breaker, { mode: 0o700 });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    if (age(breaker) > STALE_MS) removeDirectory(breaker);
    return;
  }
  try {
    if (isStale(path)) remove(path);
  } finally {
    removeDirectory(breaker);
  }
}

function isStale(path: string): boolean {
  let pid: number;
  try {
    pid = Number(readFileSync(path, 'utf8'));
  } catch {
    return false;
  }
  // Empty for a moment after it is made.
  return pid > 0 ? !isRunning(pid) || age(path) > STALE_MS : age(path) > STALE_MS;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

function age(path: string): number {
  const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return made === undefined ? 0 : Date.now() - made;
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

function removeDirectory(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
