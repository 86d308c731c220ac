import { join } from 'node:path';
import { mustRun } from '../../test/rig/run.ts';
import type { Node } from './nodes.ts';

/** Makes the archive that npm would publish, of what is built in the working directory, and gives its path. */
export async function pack(dir: string): Promise<string> {
  const command = ['npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', dir];
  const { stdout } = await mustRun(command, { env: process.env });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  return join(dir, filename);
}

/** Installs the archive as a person does, with the programs of `path` at hand. Gives the folder of `tunnel`. */
export async function install(archive: string, node: Node, prefix: string, path: string): Promise<string> {
  const quiet = ['--no-audit', '--no-fund'];
  await mustRun(['npm', 'install', '--global', ...quiet, '--prefix', prefix, archive], {
    env: { ...process.env, ...node.npmEnv, PATH: path },
    timeoutMs: 300_000,
  });
  return join(prefix, 'bin');
}
