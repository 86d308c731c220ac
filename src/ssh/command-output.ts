import type { Readable } from 'node:stream';

/** Enough for any answer that we ask for; a command that says more is cut off. */
const LIMIT_BYTES = 1024 * 1024;

/** Reads what a command prints; the returned function gives what has come so far. */
export function collectOutput(stream: Readable): () => string {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    if (length < LIMIT_BYTES) chunks.push(chunk);
    length += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8', 0, LIMIT_BYTES);
}
