import type { Channel, Client } from 'ssh2';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ChannelStream, type ChannelControl } from './channel-stream.ts';
import { openWithWindow, takeOverFlow } from './internals.ts';
import { Outflow } from './outflow.ts';
import { PromptAck } from './prompt-ack.ts';
import type { ReadMemory } from './read-memory.ts';
import { RoundTrips } from './round-trips.ts';
import { Budget } from './windows/budget.ts';
import { Direction } from './windows/direction.ts';
import { Path } from './windows/path.ts';
import { ReceiveWindow } from './windows/receive-window.ts';
import { SendWindow } from './windows/send-window.ts';

/** With so many channels open, one of them mostly has something to say. */
const MANY = 16;

/** A channel that was asked for: one of the two is to be called, at once when the answer is there. */
export interface Opening {
  readonly opened: (channel: Channel) => ChannelStream;
  readonly failed: () => void;
}

/** What the channels of one connection share: the way to the server, the memory, and the queue in front of the socket. */
export class Channels {
  readonly #client: Client;
  readonly #outflow: Outflow;
  readonly #roundTrips: RoundTrips;
  readonly #memory: ReadMemory | undefined;
  readonly #budget = new Budget();
  readonly #down: Direction;
  readonly #up: Direction;
  readonly #open = new Set<ChannelStream>();

  /** `client` is ready, and runs over `socket`, which is read into `memory` if that is known. */
  constructor(client: Client, socket: Duplex, memory?: ReadMemory) {
    const path = new Path();
    this.#client = client;
    this.#outflow = new Outflow(socket);
    this.#memory = memory;
    this.#roundTrips = new RoundTrips(client, path);
    this.#down = new Direction(path);
    this.#up = new Direction(path);
    if (socket instanceof Socket) {
      const hasMany = (): boolean => this.#open.size > MANY;
      memory?.onRead(new PromptAck(socket, () => this.#acknowledge(), hasMany).received);
    }
  }

  /** Runs `open`, which asks for one channel or accepts one, with the window that there is for it. */
  open(open: () => void): Opening {
    const window = new ReceiveWindow(this.#down, this.#budget);
    try {
      const told = openWithWindow(this.#client, window.initial, open);
      const ours = told === window.initial ? window : undefined;
      return { opened: (channel) => this.#stream(channel, ours, window), failed: () => window.close() };
    } catch (error) {
      window.close();
      throw error;
    }
  }

  /** Before ssh2 ends its channels as if all had been read: what breaks off here must not look complete. */
  abandon(reason: Error): void {
    for (const stream of this.#open) stream.destroy(reason);
  }

  /** Without a channel nobody waits for an answer. */
  #acknowledge(): void {
    for (const stream of this.#open) {
      if (!stream.destroyed) return stream.acknowledge();
    }
  }

  #stream(channel: Channel, ours: ReceiveWindow | undefined, window: ReceiveWindow): ChannelStream {
    const takeOver = (onWindow: () => void): ChannelControl | undefined => {
      const flow = ours && takeOverFlow(this.#client, channel, onWindow);
      if (ours === undefined || flow === undefined) return undefined;
      return {
        flow,
        receive: ours,
        send: new SendWindow(this.#up),
        onTraffic: (bytes, now) => this.#roundTrips.traffic(bytes, now),
      };
    };
    const stream = new ChannelStream(channel, this.#outflow, takeOver, this.#memory);
    this.#open.add(stream);
    stream.once('close', () => {
      window.close();
      this.#open.delete(stream);
    });
    return stream;
  }
}
