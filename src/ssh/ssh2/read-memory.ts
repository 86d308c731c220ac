import type { OnReadOpts } from 'node:net';

/** So much is read at once at least, where there is so much. */
const LEAST = 64 * 1024;
const SLAB = 256 * 1024;

/**
 * Has a socket read into large pieces of memory one after the other, and give what it has read to `push`, its own, which says
 * whether there may be more: most packets then come whole, so that they are decrypted where they are and not put together first.
 */
export function reading(push: (data: Buffer) => boolean): OnReadOpts {
  let slab = Buffer.allocUnsafeSlow(SLAB);
  let used = 0;
  return {
    buffer: () => {
      if (SLAB - used < LEAST) {
        slab = Buffer.allocUnsafeSlow(SLAB);
        used = 0;
      }
      return slab.subarray(used);
    },
    callback: (length) => {
      const data = slab.subarray(used, used + length);
      used += length;
      return push(data);
    },
  };
}
