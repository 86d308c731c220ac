import { execFile } from 'node:child_process';
import { delimiter } from 'node:path';
import { systemCode } from '../errors.ts';

/** What became of a command of the system. */
export type Answer =
  | { readonly kind: 'output'; readonly text: string }
  /** It is not installed, or may not be run. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly text: string };

/** Asks a command of the system; never throws, and never waits for long. */
export type Ask = (command: string, ...args: readonly string[]) => Promise<Answer>;

const TIMEOUT_MS = 3000;

/** Where `ip` and `wg` are on many systems, and what a plain user's PATH there does not name. */
const MORE_PLACES = ['/usr/sbin', '/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** Asks the system that this program runs on. */
export const askSystem: Ask = askingIn([process.env['PATH'], ...MORE_PLACES].join(delimiter));

/** Asks the commands that are found in `path`, in the language that is read here. */
export function askingIn(path: string): Ask {
  const env = { ...process.env, PATH: path, LC_ALL: 'C' };
  return (command, ...args) =>
    new Promise((resolve) => {
      const options = { env, timeout: TIMEOUT_MS, killSignal: 'SIGKILL', windowsHide: true } as const;
      const child = execFile(command, args, options, (error, stdout, stderr) => {
        const code = systemCode(error);
        if (error === null) resolve({ kind: 'output', text: stdout });
        else if (code === 'ENOENT' || code === 'EACCES') resolve({ kind: 'missing' });
        else if (error.killed === true) resolve({ kind: 'failed', text: `no answer in ${TIMEOUT_MS} ms` });
        else resolve({ kind: 'failed', text: stderr.trim() || error.message });
      });
      child.stdin?.end();
    });
}
