import { addAbortListener, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Endpoint } from '../../endpoint.ts';

/** OpenSSH's PROTOCOL.mux, section 11. */
const MSG_HELLO = 0x0000_0001;
const C_ALIVE_CHECK = 0x1000_0004;
const C_OPEN_FWD = 0x1000_0006;
const C_CLOSE_FWD = 0x1000_0007;
const S_OK = 0x8000_0001;
const S_ALIVE = 0x8000_0005;
const S_REMOTE_PORT = 0x8000_0007;

const VERSION = 4;
/** channels.c, CHANNEL_MUX_MAX_PACKET. */
const LONGEST_MESSAGE = 256 * 1024;
/** A master says hello at once; one that is stopped, or something else that listens there, never does. */
const HELLO_LIMIT_MS = 3000;
/** A master answers to this without asking the server. */
const CLOSE_FORWARD_LIMIT_MS = 2000;
/** In place of a port: the host is the path of a Unix socket. */
const STREAMLOCAL = 0xffff_fffe;

/** One forward as the protocol names it; `direction` is on which side is listened. A port 0 is chosen by the server. */
export interface MuxForward {
  readonly direction: 'local' | 'remote';
  readonly listen: Endpoint;
  readonly connect: Endpoint;
}

interface Reply {
  readonly type: number;
  readonly body: Buffer;
}

/**
 * A connection to the control socket of an ssh master. It asks for forwards in a fraction of a millisecond, where
 * `ssh -O` takes a process for each; and it tells at any moment whether the master still works (`isAlive`).
 *
 * Sessions are not opened here: their file descriptors cannot be passed from Node.js. Nor is the proxy mode used, which
 * would give whole channels: as of OpenSSH 10, when a client of that mode leaves after the server refused it a channel,
 * the master ends with "no remote_id" (channels.c, channel_free and chan_send_close2), and it may be the person's own.
 */
export class MuxClient {
  /** Settles when the master has closed the connection, or `destroy` was called. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (reply: Reply | undefined) => void>();
  #received: Buffer = Buffer.alloc(0);
  #lastId = 0;

  /**
   * Rejects with the system's error when nobody listens there, when it is no master or one that says nothing, and with
   * the reason of `signal`, which no longer counts afterwards.
   */
  static async connect(path: string, signal?: AbortSignal): Promise<MuxClient> {
    signal?.throwIfAborted();
    const socket = connect(path);
    const timer = setTimeout(() => socket.destroy(new Error('no answer')), HELLO_LIMIT_MS);
    const abort = signal && addAbortListener(signal, () => socket.destroy(signal.reason as Error));
    try {
      await once(socket, 'connect');
      const client = new MuxClient(socket);
      if (await client.#hello()) return client;
      client.destroy();
      signal?.throwIfAborted();
      throw new Error(`${path} does not answer as the control socket of an ssh master does`);
    } finally {
      clearTimeout(timer);
      abort?.[Symbol.dispose]();
    }
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        for (const answer of this.#waiting.values()) answer(undefined);
        this.#waiting.clear();
        resolve();
      });
    });
    socket.on('error', () => undefined);
    socket.on('data', (data) => this.#receive(data));
  }

  /** Whether the master still serves: what it said before this was asked is then no effect of its end. */
  async isAlive(): Promise<boolean> {
    return (await this.#request(C_ALIVE_CHECK))?.type === S_ALIVE;
  }

  /** Gives the port, if it was left to the server. Rejects with the master's own words. */
  async openForward(forward: MuxForward): Promise<number | undefined> {
    const reply = await this.#request(C_OPEN_FWD, encodeForward(forward));
    if (reply?.type === S_REMOTE_PORT) return reply.body.readUInt32BE(0);
    if (reply?.type !== S_OK) throw refusal(reply);
    return undefined;
  }

  /**
   * `forward` as it was asked for, a port 0 included. Connections that are open go on. Does not wait for ever for a
   * master that has been stopped: it finds what it was asked when it goes on.
   */
  async closeForward(forward: MuxForward): Promise<void> {
    const limit = delay(CLOSE_FORWARD_LIMIT_MS, undefined, { ref: false });
    await Promise.race([this.#request(C_CLOSE_FWD, encodeForward(forward)), limit]);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Each side sends its hello first; the only message without an id. */
  async #hello(): Promise<boolean> {
    const hello = this.#reply(0);
    this.#send([uint32(MSG_HELLO), uint32(VERSION)]);
    const reply = await hello;
    return reply?.type === MSG_HELLO;
  }

  /** Undefined when the master is gone. */
  async #request(type: number, body: readonly Buffer[] = []): Promise<Reply | undefined> {
    if (this.#socket.destroyed) return undefined;
    this.#lastId += 1;
    const reply = this.#reply(this.#lastId);
    this.#send([uint32(type), uint32(this.#lastId), ...body]);
    return await reply;
  }

  #reply(id: number): Promise<Reply | undefined> {
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  #send(parts: readonly Buffer[]): void {
    const message = Buffer.concat(parts);
    this.#socket.write(Buffer.concat([uint32(message.length), message]));
  }

  #receive(data: Buffer): void {
    this.#received = Buffer.concat([this.#received, data]);
    while (this.#received.length >= 4) {
      const length = this.#received.readUInt32BE(0);
      if (length < 8 || length > LONGEST_MESSAGE) return this.destroy();
      if (this.#received.length < 4 + length) return;
      this.#dispatch(this.#received.subarray(4, 4 + length));
      this.#received = this.#received.subarray(4 + length);
    }
  }

  #dispatch(message: Buffer): void {
    const type = message.readUInt32BE(0);
    const second = message.readUInt32BE(4);
    if (type === MSG_HELLO && second !== VERSION) return this.destroy();
    const id = type === MSG_HELLO ? 0 : second;
    this.#waiting.get(id)?.({ type, body: message.subarray(8) });
    this.#waiting.delete(id);
  }
}

function encodeForward({ direction, listen, connect }: MuxForward): Buffer[] {
  return [uint32(direction === 'local' ? 1 : 2), ...encodeEndpoint(listen), ...encodeEndpoint(connect)];
}

function encodeEndpoint(endpoint: Endpoint): Buffer[] {
  return endpoint.kind === 'unix'
    ? [string(endpoint.path), uint32(STREAMLOCAL)]
    : [string(endpoint.host), uint32(endpoint.port)];
}

function refusal(reply: Reply | undefined): Error {
  return new Error(reply === undefined ? 'the ssh master is gone' : reply.body.toString('utf8', 4));
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([uint32(bytes.length), bytes]);
}
