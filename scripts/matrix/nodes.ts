import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun } from '../../test/rig/run.ts';

/** One Node.js. */
export interface Node {
  readonly version: string;
  /** The path of its `node`. */
  readonly program: string;
  /** What npm needs to build a native part for it, beside what it is configured with. */
  readonly npmEnv: NodeJS.ProcessEnv;
}

export function presentNode(): Node {
  return { version: process.versions.node, program: process.execPath, npmEnv: {} };
}

/**
 * The present Node.js if it is the wanted one, else one from npm's registry, in a folder of its own in `dir`. It is the
 * package behind `node`, which has the headers, too: a native part is built without a further download.
 */
export async function findNode(wanted: string, dir: string): Promise<Node> {
  if (process.versions.node.startsWith(`${wanted}.`)) return presentNode();
  const prefix = join(dir, wanted);
  mkdirSync(prefix);
  const name = `node-${process.platform}-${process.arch}`;
  const quiet = ['--no-audit', '--no-fund', '--no-save'];
  await mustRun(['npm', 'install', ...quiet, '--prefix', prefix, `${name}@${wanted}`], { env: process.env });
  const home = join(prefix, 'node_modules', name);
  const program = join(home, 'bin', 'node');
  const { stdout } = await mustRun([program, '--version'], { env: {} });
  return { version: stdout.trim().slice(1), program, npmEnv: { npm_config_nodedir: home } };
}
