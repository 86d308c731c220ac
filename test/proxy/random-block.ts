import { randomBytes } from 'node:crypto';

const pool = randomBytes(1024 * 1024);

/** Bytes that are the same for the same seed, from none to a few tens of thousands. */
export function randomBlock(seed: number): Buffer {
  const start = (seed * 7919) % (pool.length / 2);
  return pool.subarray(start, start + ((seed * 104_729) % 40_000));
}
