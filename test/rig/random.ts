import { createCipheriv, createHash } from 'node:crypto';

const blockSize = 64 * 1024;

/**
 * `length` bytes that nothing compresses and that are the same for the same seed, in blocks: the key stream of
 * AES-128-CTR, which is faster than any connection.
 */
export function* randomBlocks(seed: string, length: number): Generator<Buffer> {
  const key = createHash('sha256').update(seed).digest();
  const cipher = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16));
  const zeros = Buffer.alloc(blockSize);
  for (let left = length; left > 0; left -= blockSize) {
    yield cipher.update(left < blockSize ? zeros.subarray(0, left) : zeros);
  }
}

/** The SHA-256, in hex, of `randomBlocks`. */
export function randomSha256(seed: string, length: number): string {
  const hash = createHash('sha256');
  for (const block of randomBlocks(seed, length)) hash.update(block);
  return hash.digest('hex');
}
