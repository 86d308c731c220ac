import { Duplex } from 'node:stream';
import type { Channel } from 'ssh2';
import type { ChannelFlow } from './internals.ts';
import type { Borrower, Lender } from '../../lender.ts';
import type { Outflow } from './outflow.ts';
import type { ReadMemory } from './read-memory.ts';
import type { ReceiveWindow } from './windows/receive-window.ts';
import type { SendWindow } from './windows/send-window.ts';

/** What libuv reads at once, and a byte: a write that is sent at once is no reason to pause the reader. */
const writableHighWaterMark = 64 * 1024 + 1;

/** A channel whose flow control is ours. */
export interface ChannelControl {
  readonly flow: ChannelFlow;
  readonly receive: ReceiveWindow;
  readonly send: SendWindow;
  /** Called when bytes have come through, at this time on the clock of `performance.now()`. */
  readonly onTraffic: (bytes: number, now: number) => void;
}

/**
 * A channel as a stream that behaves: ssh2's own swallows errors given to `destroy`, never calls back for a write
 * after the close, and queues without looking at the socket.
 *
 * Bytes pass by ssh2's stream buffers: what arrives is pushed here directly, and what is written is sent packet by packet,
 * each in its turn among the channels. The window is re-opened as the reader takes what came, so a reader that stops holds
 * no more than one window. Where ssh2 does not let us, its own flow control does the same with windows that never change.
 *
 * `end()` closes our direction (SSH_MSG_CHANNEL_EOF), `destroy()` the whole channel. When the far end closes the
 * channel, this closes as soon as the reader has read to the end. Belongs to the caller.
 */
export class ChannelStream extends Duplex implements Lender, Borrower {
  readonly isBorrower = true;
  readonly #channel: Channel;
  readonly #outflow: Outflow;
  readonly #control: ChannelControl | undefined;
  readonly #memory: ReadMemory | undefined;
  #lent: Uint8Array | undefined;
  #later: NodeJS.Timeout | undefined;
  #closedByPeer = false;
  /** What has come and was not taken. */
  #held = 0;
  /** What `_write` was given and is not sent yet; it waits for its turn, or for room in a window. */
  #unsent: Buffer | undefined;
  #isWaitingForRoom = false;
  #windowBefore = 0;
  #done: (error?: Error | null) => void = () => undefined;

  constructor(
    channel: Channel,
    outflow: Outflow,
    takeOver: (onWindow: () => void) => ChannelControl | undefined,
    memory?: ReadMemory,
  ) {
    super({ allowHalfOpen: true, writableHighWaterMark });
    this.#channel = channel;
    this.#outflow = outflow;
    this.#memory = memory;
    this.#control = takeOver(() => this.#onWindow());
    this.#windowBefore = this.#control?.flow.window ?? 0;
    channel.push = (data: Buffer | null) => (data === null ? this.#receiveEnd() : this.#receive(data));
    channel.on('error', (error: Error) => this.destroy(error));
    channel.on('close', () => this.#receiveClose());
  }

  override _read(): void {
    if (this.#control === undefined) this.#channel._read(0);
  }

  // Unlike `_read` it is called for all that is taken out of the buffer.
  override read(size?: number): unknown {
    const data: unknown = super.read(size);
    if (this.#held > 0) this.#reopenWindow();
    return data;
  }

  borrow(chunk: Uint8Array, settle: () => boolean): void {
    if (chunk === this.#lent) this.#memory?.borrow(settle);
    else settle();
  }

  override _write(data: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#control === undefined) {
      this.#outflow.schedule(data.length, () => {
        if (!this.#closedByPeer && !this.destroyed)
          unlessEnding(() => this.#channel._write(data, encoding, done));
      });
      return;
    }
    this.#unsent = data;
    this.#done = done;
    this.#schedule(data.length);
  }

  override _final(done: (error?: Error | null) => void): void {
    unlessEnding(() => this.#channel.eof());
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#unsent = undefined;
    clearTimeout(this.#later);
    unlessEnding(() => this.#channel.close());
    done(error);
  }

  #schedule(length: number): void {
    this.#outflow.schedule(length, this.#sendPacket);
  }

  /** One packet: the other channels are to have their turn before the next one. */
  readonly #sendPacket = (): void => {
    const data = this.#unsent;
    const control = this.#control;
    if (data === undefined || control === undefined || this.#closedByPeer) return;
    const { flow, send } = control;
    const length = Math.min(data.length, flow.window, flow.packetSize, send.room);
    if (length <= 0) {
      this.#isWaitingForRoom = true;
      return;
    }
    unlessEnding(() => flow.send(length === data.length ? data : data.subarray(0, length)));
    send.sent(length);
    this.#windowBefore -= length;
    if (length < data.length) {
      this.#unsent = data.subarray(length);
      this.#schedule(data.length - length);
    } else {
      this.#unsent = undefined;
      this.#done();
    }
  };

  /** The server has passed something on, and lets us send as much again. */
  #onWindow(): void {
    const control = this.#control;
    if (control === undefined) return;
    const now = performance.now();
    const { window } = control.flow;
    const passedOn = window - this.#windowBefore;
    control.send.passedOn(passedOn, now);
    control.onTraffic(passedOn, now);
    this.#windowBefore = window;
    if (!this.#isWaitingForRoom) return;
    this.#isWaitingForRoom = false;
    this.#schedule(this.#unsent?.length ?? 0);
  }

  #receive(data: Buffer): boolean {
    if (this.destroyed) return false;
    this.#held += data.length;
    const isTaken = this.readableFlowing === true ? this.#lend(data) : this.#store(data);
    this.#reopenWindow();
    return isTaken;
  }

  #lend(data: Buffer): boolean {
    this.#lent = data;
    const isTaken = this.push(data);
    this.#lent = undefined;
    return isTaken;
  }

  /** What a reader leaves here would keep all that was read together with it. */
  #store(data: Buffer): boolean {
    this.#memory?.borrow();
    return this.push(Buffer.from(data));
  }

  /** As far as the reader has taken what came. */
  #reopenWindow(): void {
    const control = this.#control;
    const taken = this.#held - this.readableLength;
    if (control === undefined || taken <= 0) return;
    this.#held -= taken;
    const now = performance.now();
    this.#give(control, control.receive.taken(taken, now));
    control.onTraffic(taken, now);
  }

  #give({ receive, flow }: ChannelControl, credit: number): void {
    const { waitMs } = receive;
    if (waitMs !== undefined && this.#later === undefined) this.#later = setTimeout(this.#giveMore, waitMs);
    if (credit === 0) return;
    this.#outflow.gather();
    unlessEnding(() => flow.credit(credit));
  }

  readonly #giveMore = (): void => {
    this.#later = undefined;
    const control = this.#control;
    if (control !== undefined && !this.destroyed)
      this.#give(control, control.receive.credit(performance.now()));
  };

  /** Sends what asks for nothing and changes nothing: a window update by 0 bytes (RFC 4254, section 5.2). */
  acknowledge(): void {
    unlessEnding(() => this.#control?.flow.credit(0));
  }

  #receiveEnd(): boolean {
    this.#control?.receive.close();
    this.push(null);
    // ssh2 announces the close only after its own stream has ended.
    Duplex.prototype.push.call(this.#channel, null);
    this.#channel.resume();
    return false;
  }

  #receiveClose(): void {
    this.#closedByPeer = true;
    if (this.readableEnded) this.destroy();
    else this.once('end', () => this.destroy());
  }
}

/**
 * With compression ssh2 throws at whatever is sent between the end of the socket and its close, which breaks all
 * streams: they are told then, with the right error.
 */
function unlessEnding(send: () => void): void {
  try {
    send();
  } catch {
    // Nobody hears it any more.
  }
}
