import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Stoppable } from '../rig/rig.ts';

/** Says when it listens, never accepts what comes, and ends with its standard input: when the test's process does. */
const SERVER = `
  const { readSync, writeSync } = require('node:fs');
  const [path, backlog] = process.argv.slice(1);
  require('node:net').createServer().listen({ path, backlog: Number(backlog) }, () => {
    writeSync(1, 'listening');
    readSync(0, Buffer.alloc(1));
    process.exit();
  });`;

/**
 * A server in a process of its own, so that `path` may be relative to `cwd`. Once it is stopped, by SIGKILL, its
 * socket is a stale one.
 */
export async function listenAt(path: string, cwd = '/', backlog = 511): Promise<Stoppable> {
  const child = spawn(process.execPath, ['-e', SERVER, '--', path, String(backlog)], {
    cwd,
    env: {},
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  await Promise.race([once(child.stdout, 'data'), ended]);
  if (!existsSync(resolve(cwd, path))) throw new Error(`nothing was bound at ${path}`);
  return {
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** What a server leaves behind that was killed. */
export async function makeStale(path: string): Promise<void> {
  const server = await listenAt(path);
  await server.stop();
}
