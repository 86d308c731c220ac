import { createRequire } from 'node:module';
import type { Channel, Client } from 'ssh2';

/**
 * The private parts of ssh2 1.17 that we touch, because its public API has no way to them. Each function looks
 * whether ssh2 has the shape that it expects and says so in its result; callers then do without.
 */
interface Internals {
  readonly _protocol?: {
    readonly ping?: () => void;
    readonly channelData?: (id: number, data: Buffer) => void;
    readonly channelWindowAdjust?: (id: number, bytes: number) => void;
    readonly _handlers?: Record<string, unknown>;
    readonly rekey?: () => void;
    readonly _kexinit?: unknown;
    readonly _authsQueue?: unknown;
    readonly _cipher?: { readonly encrypt?: (packet: Buffer) => void };
    readonly _packetRW?: { readonly write?: Partial<PacketWriter> };
    authPK?: KeyRequest;
  };
  readonly _callbacks?: unknown[];
}

interface PacketWriter {
  readonly allocStart: number;
  alloc(length: number): Buffer;
  finalize(packet: Buffer): Buffer;
}

type Handler = (...values: unknown[]) => void;

/** Asks whether a key would do; with `sign` it sends the signature, too. */
type KeyRequest = (user: unknown, key: unknown, algorithm: unknown, sign?: unknown) => void;

type AuthFailureHandler = (protocol: unknown, methods: string[], partial: boolean) => void;

/**
 * Tells what each SSH_MSG_USERAUTH_FAILURE (RFC 4252, section 5.1) says, before ssh2 acts on it: ssh2 forgets both
 * the methods and the partial success when the key that was tried came from an agent.
 */
export function onAuthFailure(
  client: Client,
  listener: (methods: readonly string[], partial: boolean) => void,
): boolean {
  const handlers = (client as unknown as Internals)._protocol?._handlers;
  const original = handlers?.['USERAUTH_FAILURE'];
  if (handlers === undefined || typeof original !== 'function') return false;
  const handle: AuthFailureHandler = (protocol, methods, partial) => {
    listener(methods, partial);
    (original as AuthFailureHandler)(protocol, methods, partial);
  };
  handlers['USERAUTH_FAILURE'] = handle;
  return true;
}

/**
 * Has authentication begin together with the request for the service, instead of a round trip later, at a server that has
 * told what signatures it takes (EXT_INFO, RFC 8308): what is chosen does not depend on the answer then.
 */
export function authenticateAtOnce(client: Client): boolean {
  const handlers = (client as unknown as Internals)._protocol?._handlers;
  const accept = handlers?.['SERVICE_ACCEPT'] as Handler | undefined;
  const extensions = handlers?.['EXT_INFO'] as Handler | undefined;
  if (handlers === undefined || typeof accept !== 'function' || typeof extensions !== 'function')
    return false;
  let isEncrypted = false;
  let isTold = false;
  let hasBegun = false;
  const begin: Handler = (...values) => {
    if (!hasBegun) accept(...values);
    hasBegun = true;
  };
  const beginEarly = (): void => {
    if (isEncrypted && isTold) begin(client, 'ssh-userauth');
  };
  handlers['SERVICE_ACCEPT'] = begin;
  handlers['EXT_INFO'] = (...values: unknown[]) => {
    extensions(...values);
    isTold = true;
    beginEarly();
  };
  // ssh2 asks for the service right after this event.
  client.once('handshake', () => {
    isEncrypted = true;
    process.nextTick(beginEarly);
  });
  return true;
}

/**
 * Has keys sign in their first request, without asking first whether they would do (RFC 4252, section 7, allows both), as
 * long as `isFree` says so.
 */
export function signAtOnce(client: Client, isFree: () => boolean): boolean {
  const protocol = (client as unknown as Internals)._protocol;
  const ask = protocol?.authPK;
  const wouldDo = protocol?._handlers?.['USERAUTH_PK_OK'] as Handler | undefined;
  if (protocol === undefined || typeof ask !== 'function' || typeof wouldDo !== 'function') return false;
  protocol.authPK = (user, key, algorithm, sign) => {
    if (sign === undefined && isFree()) wouldDo(protocol);
    else ask.call(protocol, user, key, algorithm, sign);
  };
  return true;
}

/**
 * Sends `keepalive@openssh.com`, a global request that every server answers, if only with a refusal
 * (RFC 4254, section 4). The answer shows as bytes received, and is told to `onAnswer`.
 */
export function ping(client: Client, onAnswer: () => void = () => undefined): boolean {
  const { _protocol: protocol, _callbacks: callbacks } = client as unknown as Internals;
  if (typeof protocol?.ping !== 'function' || !Array.isArray(callbacks)) return false;
  // Replies to global requests come in order and carry no name, so each request needs its place in the queue.
  callbacks.push((error: unknown) => {
    // The refusal is `true`; an Error is the end of the connection.
    if (!(error instanceof Error)) onAnswer();
  });
  protocol.ping();
  return true;
}

const OPENERS = ['directTcpip', 'openssh_directStreamLocal', 'channelOpenConfirm'] as const;

type Opener = (...values: unknown[]) => void;
type Openers = { [name in (typeof OPENERS)[number]]?: Opener };

/** Where the window is among what these functions are given. */
const WINDOW_PLACE = { directTcpip: 1, openssh_directStreamLocal: 1, channelOpenConfirm: 2 } as const;

/** What ssh2 opens each channel with. */
export const OWN_WINDOW = 2 * 1024 * 1024;

/**
 * Runs `open`, which opens or accepts one channel, so that the server is told of a window of that size; returns the size
 * that it was told of.
 */
export function openWithWindow(client: Client, window: number, open: () => void): number {
  const protocol = (client as unknown as { readonly _protocol?: Openers })._protocol;
  let told = OWN_WINDOW;
  if (
    protocol === undefined ||
    OPENERS.some((name) => typeof protocol[name] !== 'function' || Object.hasOwn(protocol, name))
  ) {
    open();
    return told;
  }
  for (const name of OPENERS) {
    const original = protocol[name] as Opener;
    protocol[name] = (...values) => {
      const place = WINDOW_PLACE[name];
      if (values[place] === OWN_WINDOW) told = values[place] = window;
      original.apply(protocol, values);
    };
  }
  try {
    open();
  } finally {
    // What is under it is the prototype's.
    for (const name of OPENERS) delete protocol[name];
  }
  return told;
}

interface ChannelInternals {
  readonly incoming?: { window?: number; readonly state?: string };
  readonly outgoing?: {
    readonly id?: number;
    window?: number;
    readonly packetSize?: number;
    readonly state?: string;
  };
  _waitWindow?: boolean;
  _chunk?: unknown;
  _chunkcb?: unknown;
}

/** One channel's flow control, in our own hands. */
export interface ChannelFlow {
  readonly packetSize: number;
  /** Bytes that the server lets us send now. */
  readonly window: number;
  /** Sends one packet, which must fit into it. */
  send(data: Buffer): void;
  /** Lets the server send so many bytes more (SSH_MSG_CHANNEL_WINDOW_ADJUST). */
  credit(bytes: number): void;
}

/** So much that ssh2 never thinks of opening the window. */
const ENDLESS = 2 ** 40;

/**
 * Takes the flow control of a channel out of ssh2's hands: it gives no credit any more and sends nothing by itself, and
 * `onWindow` is called when the server lets us send more.
 */
export function takeOverFlow(
  client: Client,
  channel: Channel,
  onWindow: () => void,
): ChannelFlow | undefined {
  const { _protocol: protocol } = client as unknown as Internals;
  const inner = channel as unknown as ChannelInternals;
  const { incoming, outgoing } = inner;
  const id = outgoing?.id;
  const packetSize = outgoing?.packetSize;
  if (typeof protocol?.channelData !== 'function' || typeof protocol.channelWindowAdjust !== 'function')
    return undefined;
  if (typeof incoming?.window !== 'number' || typeof outgoing?.window !== 'number') return undefined;
  if (id === undefined || packetSize === undefined || inner._waitWindow !== false) return undefined;
  if (inner._chunk !== undefined || !('_chunkcb' in inner)) return undefined;

  Object.defineProperty(incoming, 'window', { get: () => ENDLESS, set: () => {} });
  // ssh2 calls the callback of a write that has been waiting for a window.
  inner._waitWindow = true;
  inner._chunkcb = (): void => {
    inner._waitWindow = true;
    onWindow();
  };
  return {
    packetSize,
    get window() {
      return outgoing.window ?? 0;
    },
    send(data) {
      if (outgoing.state !== 'open') return;
      outgoing.window = (outgoing.window ?? 0) - data.length;
      protocol.channelData?.(id, data);
    },
    credit(bytes) {
      // After our close the number may belong to another channel.
      if (outgoing.state === 'open' || outgoing.state === 'eof') protocol.channelWindowAdjust?.(id, bytes);
    },
  };
}

/**
 * Sends a whole SSH_MSG_USERAUTH_REQUEST with a signature. ssh2 builds only those whose signature consists of a name
 * and a string, named like the key: not so for FIDO keys (OpenSSH PROTOCOL.u2f) and for certificates.
 */
export function sendSignedRequest(client: Client, request: Buffer): boolean {
  const { _protocol: protocol } = client as unknown as Internals;
  const { allocStart, alloc, finalize } = protocol?._packetRW?.write ?? {};
  const { _authsQueue: queue, _cipher: cipher } = protocol ?? {};
  if (!Array.isArray(queue) || typeof cipher?.encrypt !== 'function' || protocol?._kexinit !== undefined)
    return false;
  if (allocStart === undefined || alloc === undefined || finalize === undefined) return false;
  const writer = protocol?._packetRW?.write;
  const packet = alloc.call(writer, request.length);
  packet.set(request, allocStart);
  queue.push('publickey');
  cipher.encrypt(finalize.call(writer, packet));
  return true;
}

/** Starts a key exchange (RFC 4253, section 9); not while one is under way. */
export function rekey(client: Client): boolean {
  const { _protocol: protocol } = client as unknown as Internals;
  if (typeof protocol?.rekey !== 'function') return false;
  if (protocol._kexinit === undefined) protocol.rekey();
  return true;
}

export type AlgorithmKind = 'kex' | 'serverHostKey' | 'cipher' | 'hmac';

/** What ssh2 can do here: it throws at a name that it does not know, and exports no list of those that it does. */
export function supportedAlgorithms(kind: AlgorithmKind): readonly string[] | undefined {
  const name = { kex: 'KEX', serverHostKey: 'SERVER_HOST_KEY', cipher: 'CIPHER', hmac: 'MAC' }[kind];
  try {
    const constants: unknown = createRequire(import.meta.url)('ssh2/lib/protocol/constants.js');
    return (constants as Record<string, readonly string[] | undefined>)[`SUPPORTED_${name}`];
  } catch {
    return undefined;
  }
}
