import { constants } from 'node:os';

const leftovers = new Set<() => void>();

/**
 * Registers what must not outlive this process, for when no test hook runs any more: the runner's timeout and Ctrl-C
 * end it by a signal. `cleanUp` must be synchronous. The returned function takes it off again.
 */
export function onDeath(cleanUp: () => void): () => void {
  leftovers.add(cleanUp);
  return () => {
    leftovers.delete(cleanUp);
  };
}

process.on('exit', () => {
  for (const cleanUp of [...leftovers].toReversed()) {
    try {
      cleanUp();
    } catch (error) {
      console.error(error);
    }
  }
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Not `once`: Ctrl-C comes from the terminal and from the runner, and the second must not cut the clean-up short.
  process.on(signal, () => process.exit(128 + constants.signals[signal]));
}
