/** A string as RFC 4251, section 5, has it: its length in four bytes, and its bytes. */
export function wireString(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([wireUint32(bytes.length), bytes]);
}

export function wireUint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A positive `mpint` (RFC 4251, section 5) from its bytes: without leading zeros, but for one before a set top bit. */
export function wireInteger(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Buffer.alloc(0) : bytes.subarray(first);
  return wireString((digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), digits]) : digits);
}

/** Reads one value after the other. Each throws a `RangeError` where the data ends too early. */
export class WireReader {
  readonly #data: Buffer;
  #offset = 0;

  constructor(data: Buffer) {
    this.#data = data;
  }

  uint32(): number {
    const value = this.#data.readUInt32BE(this.#offset);
    this.#offset += 4;
    return value;
  }

  string(): Buffer {
    return this.bytes(this.uint32());
  }

  bytes(length: number): Buffer {
    const start = this.#offset;
    if (start + length > this.#data.length) throw new RangeError('the data ends within a value');
    this.#offset += length;
    return this.#data.subarray(start, this.#offset);
  }
}
