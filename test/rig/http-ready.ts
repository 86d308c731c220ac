import { serverEnv } from './env.ts';
import { run } from './run.ts';

export interface Place {
  readonly url: string;
  readonly unixSocket?: string;
  /** `Machine.prefix` of where to ask from. */
  readonly prefix?: readonly string[];
}

/** Whether an HTTP server answers with a success. */
export async function answers({ url, unixSocket, prefix = [] }: Place): Promise<boolean> {
  const socket = unixSocket === undefined ? [] : ['--unix-socket', unixSocket];
  const command = [...prefix, 'curl', '-sf', '--max-time', '20', ...socket, url];
  return (await run(command, { env: serverEnv('/') })).status === 0;
}
