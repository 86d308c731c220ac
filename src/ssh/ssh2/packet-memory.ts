import { randomFillSync } from 'node:crypto';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { replacePacketAllocation } from './packet-internals.ts';

/** More than what is queued in front of the socket; what does not fit is allocated. */
const SLAB = 320 * 1024;
const RANDOM = 16 * 1024;

/**
 * Memory for the packets of an SSH connection, used again when the socket has taken all that was in it: it stays in the
 * processor's caches, and the garbage collector does not run for every few megabytes. Their random padding (RFC 4253,
 * section 6) is made for many at once, each byte for one use.
 */
class PacketMemory {
  readonly #socket: Socket;
  readonly #slab = Buffer.allocUnsafeSlow(SLAB);
  #used = 0;
  readonly #random = Buffer.allocUnsafeSlow(RANDOM);
  #randomUsed = RANDOM;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /**
   * A packet for AES-GCM (RFC 5647): its length, the padding's length, room for the payload, the padding, and room for the
   * tag. It must be written to the socket before the next one is asked for.
   */
  readonly allocate = (payloadLength: number): Buffer => {
    let padding = 16 - ((payloadLength + 1) & 15);
    if (padding < 4) padding += 16;
    const length = 1 + payloadLength + padding;
    const packet = this.#take(4 + length + 16);
    packet.writeUInt32BE(length, 0);
    packet[4] = padding;
    this.#pad(packet, 5 + payloadLength, padding);
    return packet;
  };

  #take(length: number): Buffer {
    if (this.#socket.writableLength === 0) this.#used = 0;
    if (this.#used + length > SLAB) return Buffer.allocUnsafe(length);
    const start = this.#used;
    this.#used += length;
    return this.#slab.subarray(start, this.#used);
  }

  #pad(packet: Buffer, start: number, length: number): void {
    if (this.#randomUsed + length > RANDOM) {
      randomFillSync(this.#random);
      this.#randomUsed = 0;
    }
    for (let i = 0; i < length; i++) packet[start + i] = this.#random[this.#randomUsed++] ?? 0;
  }
}

/** Gives the packets of a connection memory of their own, as far as its cipher and its socket are known to allow it. */
export function reusePacketMemory(client: Client, stream: Duplex): void {
  // Of other streams it is not known when they have done with what was written.
  if (!(stream instanceof Socket)) return;
  const { allocate } = new PacketMemory(stream);
  replacePacketAllocation(client, allocate);
  // Each key exchange makes a new cipher.
  client.on('handshake', () => replacePacketAllocation(client, allocate));
}
