import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { onDeath } from './last-resort.ts';

export interface TempDir {
  readonly path: string;
  /** Ends every process that still has a path of the directory in its environment, and removes the directory. */
  remove(): void;
}

/**
 * A directory that other users may enter, as the users that sshd logs in are others. Its path is short because the
 * path of a Unix socket ends at 107 bytes (sockaddr_un), which macOS's own temporary directory half uses up.
 */
export function makeTempDir(): TempDir {
  const path = mkdtempSync('/tmp/tn-');
  chmodSync(path, 0o755);
  const remove = (): void => {
    killOrphans(path);
    rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  const forget = onDeath(remove);
  return {
    path,
    remove() {
      remove();
      forget();
    },
  };
}

/**
 * What went to the background is nobody's child any more: `tunnel -d`, or a command that outlives its SSH session. Its
 * HOME still names the rig that it belongs to.
 */
function killOrphans(dir: string): void {
  if (process.platform !== 'linux') return;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (environment(pid).includes(`=${dir}/`)) process.kill(Number(pid), 'SIGKILL');
  }
}

/** Empty for a process that has ended, and for another user's. */
function environment(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}
