import { createRequire } from 'node:module';
import type { Client } from 'ssh2';

/**
 * The private parts of ssh2 1.17 that we touch, because its public API has no way to them. Each function looks
 * whether ssh2 has the shape that it expects and says so in its result; callers then do without.
 */
interface Internals {
  readonly _protocol?: {
    readonly ping?: () => void;
    readonly _handlers?: Record<string, unknown>;
    readonly rekey?: () => void;
    readonly _kexinit?: unknown;
    readonly _authsQueue?: unknown;
    readonly _cipher?: { readonly encrypt?: (packet: Buffer) => void };
    readonly _packetRW?: { readonly write?: Partial<PacketWriter> };
  };
  readonly _callbacks?: unknown[];
}

interface PacketWriter {
  readonly allocStart: number;
  alloc(length: number): Buffer;
  finalize(packet: Buffer): Buffer;
}

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
 * Sends `keepalive@openssh.com`, a global request that every server answers, if only with a refusal
 * (RFC 4254, section 4). The answer shows as bytes received.
 */
export function ping(client: Client): boolean {
  const { _protocol: protocol, _callbacks: callbacks } = client as unknown as Internals;
  if (typeof protocol?.ping !== 'function' || !Array.isArray(callbacks)) return false;
  // Replies to global requests come in order and carry no name, so each request needs its place in the queue.
  callbacks.push(() => undefined);
  protocol.ping();
  return true;
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
