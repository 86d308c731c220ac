import { createHash } from 'node:crypto';

/** Below the ports that kernels hand out by themselves: from 32768 on Linux, from 49152 elsewhere. */
const firstPort = 20_000;
/** A prime, so that any stride visits every port. */
const portCount = 9_973;

/**
 * The ports that `auto` tries for this remote and target, each once and always in the same order, so that the next
 * run finds the same one free. The order is another for each target: two that start alike do not go on alike.
 */
export function* autoPorts(remoteName: string, target: string): Generator<number, undefined> {
  const hash = createHash('sha256').update(`${remoteName}\n${target}`).digest();
  const start = hash.readUInt32BE(0) % portCount;
  const stride = 1 + (hash.readUInt32BE(4) % (portCount - 1));
  for (let step = 0; step < portCount; step++) {
    yield firstPort + ((start + step * stride) % portCount);
  }
}
