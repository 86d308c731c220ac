import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { randomBlocks } from '../rig/random.ts';

/** An app on a Unix socket that counts how often it executed each request. */
export interface CountedApp {
  readonly socket: string;
  /** By the number of the request. */
  readonly executed: ReadonlyMap<number, number>;
  stop(): Promise<void>;
}

/** `POST /NUMBER/LENGTH` gives LENGTH bytes that depend on both. */
export async function startCountedApp(dir: string): Promise<CountedApp> {
  const executed = new Map<number, number>();
  const socket = join(dir, 'counted.sock');
  const server: Server = createServer((request, response) => {
    const [, number = 0, length = 0] = (request.url ?? '').split('/').map(Number);
    executed.set(number, (executed.get(number) ?? 0) + 1);
    request.resume();
    response.setHeader('Content-Length', length);
    // It rejects when the client has gone.
    pipeline(Readable.from(randomBlocks(`answer ${number}`, length)), response).catch(() => undefined);
  });
  server.listen(socket);
  await once(server, 'listening');
  return {
    socket,
    executed,
    async stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
