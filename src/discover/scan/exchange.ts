import type { Duplex } from 'node:stream';

/**
 * Sends `request`, and fulfils with the answer: all of it, its first `longest` bytes, or what had come when the signal
 * was aborted or the stream broke. Takes ownership of the stream.
 */
export function exchange(
  stream: Duplex,
  request: string,
  longest: number,
  signal: AbortSignal,
): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    let whole: number | undefined;
    const finish = (): void => {
      signal.removeEventListener('abort', finish);
      resolve(Buffer.concat(chunks).subarray(0, longest));
      stream.destroy();
    };
    signal.addEventListener('abort', finish);
    stream.on('error', finish);
    stream.on('close', finish);
    stream.on('end', finish);
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      whole ??= wholeLength(chunks);
      if (length >= Math.min(longest, whole ?? longest)) finish();
    });
    stream.write(request);
    if (signal.aborted) finish();
  });
}

/** The length of an HTTP answer that tells it: some servers keep the connection whatever they are asked. */
function wholeLength(chunks: readonly Buffer[]): number | undefined {
  const [head] = /^HTTP[^]*?\r?\n\r?\n/.exec(Buffer.concat(chunks).toString('latin1')) ?? [];
  if (head === undefined) return undefined;
  const body = /^content-length:\s*(\d+)\s*$/im.exec(head)?.[1];
  return body === undefined ? Infinity : head.length + Number(body);
}
