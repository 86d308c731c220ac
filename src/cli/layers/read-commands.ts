import { readLine } from '../arguments.ts';
import type { Command } from '../command.ts';
import type { Screen } from '../output/screen.ts';

/**
 * Reads a command line with what profiles, the project's file and the environment say where it says nothing: flag >
 * environment > project > profile, and ssh_config below all. A profile with several hosts gives a command for each.
 * Throws a `UsageError`.
 */
export async function readCommands(
  argv: readonly string[],
  stderr: Screen = process.stderr,
  env: Readonly<NodeJS.ProcessEnv> = process.env,
): Promise<readonly Command[]> {
  const { command, line, entry, read } = await readLine(argv);
  // doctor, alone, is about no host.
  const isAboutHost = line !== undefined && (line.words.length > 0 || line.flags.forward !== undefined);
  if (!isAboutHost || !entry.layered) return [command];
  // Other commands do not wait for what reads the files.
  const { addLayers } = await import('./add-layers.ts');
  return await addLayers({ command, line, entry, read }, stderr, env);
}
