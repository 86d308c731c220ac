import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Prints a command, runs it in the repository with this process's terminal, and gives its exit status. A Ctrl-C goes
 * to the command, which has the terminal too; this process waits for it, so that what it cleans up is seen.
 */
export async function run(command, args = [], env = {}) {
  console.log(`$ ${[command, ...args].join(' ')}`);
  const PATH = [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
  process.on('SIGINT', waitForChild);
  try {
    return await new Promise((resolve, reject) => {
      const child = spawn(command, args, {
        cwd: root,
        stdio: 'inherit',
        env: { ...process.env, PATH, ...env },
      });
      child.once('error', reject);
      child.once('exit', (status, signal) => resolve(status ?? 128 + constants.signals[signal]));
    });
  } finally {
    process.off('SIGINT', waitForChild);
  }
}

/** As `run`, for a command without which the rest makes no sense: a failure ends this process with its status. */
export async function mustRun(command, args = [], env = {}) {
  const status = await run(command, args, env);
  if (status !== 0) {
    console.error(`✖ ${command} ended with exit status ${status}`);
    process.exit(status);
  }
}

function waitForChild() {}
