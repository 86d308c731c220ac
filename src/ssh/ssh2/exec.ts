import type { Client, ClientChannel } from 'ssh2';
import { collectOutput } from '../command-output.ts';
import type { CommandResult } from '../connection.ts';

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
      const stdout = collectOutput(opened);
      const stderr = collectOutput(opened.stderr);
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
