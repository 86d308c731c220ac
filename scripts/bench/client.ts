import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { text } from 'node:stream/consumers';

const block = Buffer.alloc(256 * 1024, 'bench ');
/** Everything that is downloaded is read into it: what a client does with its data is not what is measured. */
const scratch = Buffer.alloc(256 * 1024);

async function open(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
  await once(socket, 'connect');
  // What breaks shows in what does not come.
  socket.on('error', () => socket.destroy());
  return socket;
}

/** Resolves when all of it is here. */
export async function download(port: number, bytes: number, signal?: AbortSignal): Promise<void> {
  let received = 0;
  const take = (length: number): boolean => ((received += length), true);
  const socket = connect({
    host: '127.0.0.1',
    port,
    allowHalfOpen: true,
    noDelay: true,
    onread: { buffer: scratch, callback: take },
  });
  signal?.addEventListener('abort', () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.write(`down ${bytes}\n`);
  socket.once('end', () => socket.end());
  await once(socket, 'close');
  if (received !== bytes && signal?.aborted !== true) throw new Error(`${received} of ${bytes} bytes came`);
}

/** Resolves when the far side has told that it has all of it. */
export async function upload(port: number, bytes: number, signal?: AbortSignal): Promise<void> {
  const socket = await open(port);
  signal?.addEventListener('abort', () => socket.destroy());
  const answer = text(socket).catch(() => '');
  socket.write('up\n');
  let left = bytes;
  const go = (): void => {
    while (left > 0) {
      const part = left < block.length ? block.subarray(0, left) : block;
      left -= part.length;
      if (!socket.write(part)) return;
    }
    socket.off('drain', go).end();
  };
  socket.on('drain', go);
  go();
  if ((await answer) !== `${bytes}\n` && signal?.aborted !== true)
    throw new Error('The upload is not complete');
}

/** An open connection on which single requests are sent. */
export class Client {
  readonly #socket: Socket;
  readonly #answer: number;

  private constructor(socket: Socket, answer: number) {
    this.#socket = socket;
    this.#answer = answer;
  }

  /** One whose answers have 200 bytes. */
  static async open(port: number): Promise<Client> {
    return await this.#begin(port, 'echo', 200);
  }

  /** One whose answers have 200 bytes and then 600. */
  static async openParts(port: number): Promise<Client> {
    return await this.#begin(port, 'parts', 800);
  }

  static async #begin(port: number, command: string, answer: number): Promise<Client> {
    const socket = await open(port);
    socket.write(`${command}\n`);
    const client = new Client(socket, answer);
    // The first line is to come by itself.
    await sleep(200);
    await client.ask();
    return client;
  }

  /** Milliseconds from a request of 200 bytes to its whole answer. */
  async ask(): Promise<number> {
    const start = performance.now();
    this.#socket.write(Buffer.alloc(200));
    for (let received = 0; received < this.#answer;) {
      const [data] = (await once(this.#socket, 'data')) as [Buffer];
      received += data.length;
    }
    return performance.now() - start;
  }

  /** One request every 100 ms until the signal; the times of those that were answered. */
  async askRegularly(signal: AbortSignal): Promise<number[]> {
    const times: number[] = [];
    while (!signal.aborted) {
      const took = await this.ask();
      times.push(took);
      await sleep(Math.max(0, 100 - took));
    }
    return times;
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Connects again and again until one byte has come back. */
export async function untilAnswered(port: number): Promise<void> {
  for (;;) {
    const answered = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true });
      socket.on('connect', () => socket.write('echo\nx'));
      socket.on('data', () => {
        resolve(true);
        socket.destroy();
      });
      socket.on('error', () => resolve(false));
      socket.on('close', () => resolve(false));
    });
    if (answered) return;
    await sleep(2);
  }
}

/** A browser has so many connections to one origin. */
const BROWSER_CONNECTIONS = 6;

/** Milliseconds until the page and all of its files are here. */
export async function openPage(port: number, files: readonly string[]): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: BROWSER_CONNECTIONS });
  const fetched = async (path: string): Promise<void> => {
    const request = get({ host: '127.0.0.1', port, path, agent, headers: { Host: `localhost:${port}` } });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    if (response.statusCode !== 200) throw new Error(`${path}: ${response.statusCode}`);
    response.resume();
    await once(response, 'end');
  };
  const start = performance.now();
  await fetched('/');
  await Promise.all(files.map((file) => fetched(`/${file}`)));
  agent.destroy();
  return performance.now() - start;
}
