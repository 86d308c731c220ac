import { type OnReadOpts, type Server, Socket, type SocketConstructorOpts } from 'node:net';
import type { Lender } from '../lender.ts';

/** What libuv reads at once. */
const SIZE = 64 * 1024;

/** A socket gets memory of its own when so much comes at once, and does without when so little does. */
const MUCH = SIZE / 2;
const LITTLE = 4 * 1024;

/** What all sockets without their own are read into: it is copied from before anything else is read. */
const common = Buffer.allocUnsafeSlow(SIZE);

/** Private parts of a socket that a server of Node.js has accepted. */
interface Accepted {
  _handle: unknown;
  _server: Server | null;
}

/**
 * An accepted connection that is read into memory which is used again. Node.js has `onread` for that (net.connect), but not for
 * what its servers accept, which get 64 KiB of new memory for each read: in bulk the garbage collector then never rests.
 */
export class AcceptedSocket extends Socket implements Lender {
  #memory: Buffer = common;
  /** Was read into before, and may be in use yet. */
  #spare: Buffer | undefined;
  #lent: Buffer | undefined;
  #isBorrowed = false;
  #settle: (() => boolean) | undefined;

  constructor(options: SocketConstructorOpts & { readonly handle: unknown }) {
    // Node.js asks for the buffer before there is a `this`.
    const reading = { buffer: (): Buffer => common, receive: (_length: number): boolean => true };
    const onread: OnReadOpts = {
      buffer: () => reading.buffer(),
      callback: (length) => reading.receive(length),
    };
    super({ ...options, onread } as SocketConstructorOpts);
    reading.buffer = () => this.#memory;
    reading.receive = (length) => this.#receive(length);
  }

  borrow(chunk: Uint8Array, settle: () => boolean): void {
    if (chunk !== this.#lent) return void settle();
    this.#isBorrowed = true;
    this.#settle = settle;
  }

  #receive(length: number): boolean {
    const wasGivenBack = this.#settle?.() === true;
    this.#isBorrowed = false;
    const mayPush =
      this.#memory === common ? this.push(Buffer.from(common.subarray(0, length))) : this.#lend(length);
    const isGivenBack = this.#isBorrowed && this.#settle?.() === true;
    if (length < (this.#memory === common ? MUCH : LITTLE)) this.#readInto(common, undefined);
    else if (!isGivenBack)
      this.#readInto(
        (wasGivenBack ? this.#spare : undefined) ?? Buffer.allocUnsafeSlow(SIZE),
        this.#isBorrowed ? this.#memory : undefined,
      );
    return mayPush;
  }

  #lend(length: number): boolean {
    this.#lent = this.#memory.subarray(0, length);
    const mayPush = this.push(this.#lent);
    this.#lent = undefined;
    return mayPush;
  }

  #readInto(memory: Buffer, spare: Buffer | undefined): void {
    this.#memory = memory;
    this.#spare = spare;
  }
}

/** The same connection; of a Node.js of another shape the same socket. To be called in the event that tells of it. */
export function acceptedSocket(socket: Socket, options: SocketConstructorOpts): Socket {
  const accepted = socket as unknown as Accepted;
  const { _handle: handle, _server: server } = accepted;
  if (typeof handle !== 'object' || handle === null || typeof server?.close !== 'function') return socket;
  const made = new AcceptedSocket({ ...options, handle });
  // The server counts those that are left.
  (made as unknown as Accepted)._server = server;
  accepted._server = null;
  accepted._handle = null;
  return made;
}
