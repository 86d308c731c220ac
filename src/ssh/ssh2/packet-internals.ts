import type { Client } from 'ssh2';

/** The private parts of ssh2 1.17 that say what memory packets are in; looked at and done without as in internals.ts. */
interface Internals {
  readonly _protocol?: {
    readonly _kexinit?: unknown;
    readonly _cipher?: Cipher;
    readonly _decipher?: Decipher;
  };
}

interface Cipher {
  allocPacket?: (payloadLength: number) => Buffer;
}

interface Decipher {
  _onPayload?: (payload: Uint8Array) => unknown;
  /** Of the packet whose end has not come: its memory, and how much of what there is of it. */
  readonly _packet?: Uint8Array | null;
  readonly _lenBytes?: number;
  readonly _len?: number;
  readonly _pktLen?: number;
  readonly _tagPos?: number;
}

/** Lengths of payloads to compare two ways of allocation by: all cases of the padding. */
const SAMPLE_LENGTHS = Array.from({ length: 32 }, (_, length) => length + 1);

/**
 * Lets `allocate` make the packets of the present cipher, where that is AES-GCM by ssh2's native part, which encrypts in
 * place, and where it makes them as ssh2 does.
 */
export function replacePacketAllocation(
  client: Client,
  allocate: (payloadLength: number) => Buffer,
): boolean {
  const cipher = (client as unknown as Internals)._protocol?._cipher;
  if (cipher?.constructor.name !== 'AESGCMCipherBinding' || cipher.allocPacket === undefined) return false;
  const isSame = SAMPLE_LENGTHS.every((length) => {
    const [ours, theirs] = [allocate(length), cipher.allocPacket?.(length)];
    return ours.length === theirs?.length && ours.subarray(0, 5).equals(theirs.subarray(0, 5));
  });
  if (isSame) cipher.allocPacket = allocate;
  return isSame;
}

export interface PayloadWatch {
  /**
   * How many of these bytes, which come next, are whole packets: ssh2 puts a packet that comes in parts together in new
   * memory. All of them where that cannot be known: between two keys, or with a cipher that hides the length.
   */
  wholePackets(data: Buffer): number;
  /** Whether every packet so far was watched, and none that has come in part is held in this memory. */
  isDoneWith(memory: ArrayBufferLike): boolean;
}

/** Those that decrypt in place, and hold no more of what they are given than a packet whose end has not come. */
const IN_PLACE: ReadonlySet<string | undefined> = new Set([
  'AESGCMDecipherBinding',
  'ChaChaPolyDecipherBinding',
]);

/**
 * Has `before` and `after` called around the handling of each packet that comes, the latter with its type (RFC 4253, section
 * 12), for as long as the present keys are in use.
 */
export function watchPayloads(
  client: Client,
  before: () => void,
  after: (type: number | undefined) => void,
): PayloadWatch | undefined {
  const { _protocol: protocol } = client as unknown as Internals;
  const decipher = protocol?._decipher;
  const handle = decipher?._onPayload;
  if (decipher === undefined || typeof handle !== 'function' || decipher._packet === undefined)
    return undefined;
  if (!IN_PLACE.has(decipher.constructor.name)) return undefined;
  decipher._onPayload = (payload) => {
    const [type] = payload;
    before();
    const result = handle(payload);
    after(type);
    return result;
  };
  return {
    wholePackets: (data) =>
      protocol?._decipher === decipher && protocol._kexinit === undefined
        ? wholePackets(decipher, data)
        : data.length,
    isDoneWith: (memory) => protocol?._decipher === decipher && decipher._packet?.buffer !== memory,
  };
}

/** Of a packet of AES-GCM (RFC 5647, section 7.3), whose length stands in clear in front of it, and its tag behind. */
const LENGTH = 4;
const TAG = 16;
/** The longest that ssh2 takes. */
const LONGEST = 35_000;

function wholePackets(decipher: Decipher, data: Buffer): number {
  const { _lenBytes, _len, _pktLen, _tagPos } = decipher;
  if (decipher.constructor.name !== 'AESGCMDecipherBinding') return data.length;
  if (_len === undefined || _pktLen === undefined || _tagPos === undefined) return data.length;
  let end = 0;
  if (_lenBytes === LENGTH) end = _len - _pktLen + TAG - _tagPos;
  else if (_lenBytes !== 0) return data.length;
  for (let next = end; next <= data.length;) {
    end = next;
    if (end + LENGTH > data.length) return end;
    const length = data.readUInt32BE(end);
    // ssh2 is to see it.
    if (length > LONGEST) return data.length;
    next = end + LENGTH + length + TAG;
  }
  return Math.min(end, data.length);
}
