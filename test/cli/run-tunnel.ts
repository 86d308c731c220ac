import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const tunnelPath = fileURLToPath(new URL('../../bin/tunnel.js', import.meta.url));

export interface Ended {
  readonly status: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real program until it ends. */
export function runTunnel(
  args: readonly string[],
  { bin = tunnelPath, nodeArgs = [] as readonly string[], env = process.env } = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { timeout: 60_000, killSignal: 'SIGKILL', env } as const;
    const child = execFile(
      process.execPath,
      [...nodeArgs, bin, ...args],
      options,
      (error, stdout, stderr) => {
        resolve({ status: error ? error.code : 0, stdout, stderr });
      },
    );
    child.stdin?.end();
  });
}
