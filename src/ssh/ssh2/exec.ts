import type { Client, ClientChannel } from 'ssh2';
import type { CommandResult } from '../connection.ts';

/** Enough for any answer that we ask for; a command that says more is cut off. */
const OUTPUT_LIMIT = 1024 * 1024;

/** Runs one command in a session channel, with nothing on its standard input. */
export function run(client: Client, command: string, timeoutMs: number): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    let channel: ClientChannel | undefined;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      channel?.close();
      reject(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    const started = (error: Error | undefined, opened: ClientChannel): void => {
      if (error) {
        clearTimeout(timer);
        reject(error);
        return;
      }
      channel = opened;
      if (late) opened.close();
      const stdout = collect(opened);
      const stderr = collect(opened.stderr);
      let status: number | undefined;
      opened.on('exit', (code: number | null) => {
        status = code ?? undefined;
      });
      opened.on('close', () => {
        clearTimeout(timer);
        resolve({ stdout: stdout(), stderr: stderr(), status });
      });
      opened.end();
    };
    try {
      client.exec(command, started);
    } catch (error) {
      // The connection is gone.
      clearTimeout(timer);
      reject(error);
    }
  });
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    if (length < OUTPUT_LIMIT) chunks.push(chunk);
    length += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8', 0, OUTPUT_LIMIT);
}
