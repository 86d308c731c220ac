import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { bracketed, type Dialer } from '../endpoint.ts';
import { DialError, systemCode } from '../errors.ts';
import { GuardedSocket } from './guarded-socket.ts';
import type { Route, RouteUp } from './route.ts';
import type { RouteGuard } from './route-guard.ts';

/** What a `DialError` of the direct dialer has as its code. */
export const directFailure = {
  /** The host has answered that nothing listens there. */
  refused: 'connect-refused',
  /** The route is not through WireGuard: nothing was sent, or nothing but the attempt to connect. */
  down: 'wireguard-down',
  /** Nobody has answered in time. */
  silent: 'connect-timeout',
  /** Anything else: no way, no free port, not permitted. */
  failed: 'connect-failed',
} as const;

export interface DirectDialerOptions {
  /** Long enough for WireGuard's handshake and TCP's; SSH is waiting. */
  readonly timeoutMs?: number;
}

/**
 * Connects straight to a port of the VPN address, as a browser would over the VPN: an endpoint's port is used, its host
 * is not looked at. A stream is handed out only if the route was still through WireGuard after it had connected, so that
 * whoever has that address elsewhere has not had a byte. See `GuardedSocket` for what comes after.
 */
export function directDialer(guard: RouteGuard, { timeoutMs = 1000 }: DirectDialerOptions = {}): Dialer {
  return async (endpoint, signal) => {
    if (endpoint.kind === 'unix') throw new TypeError('A Unix socket has no address in a VPN');
    signal?.throwIfAborted();
    const route = await guard.confirm();
    if (!route.up) throw downError(guard, route);
    const socket = await connect(guard, route, { port: endpoint.port, timeoutMs }, signal);
    const now = await guard.confirm();
    if (socket.destroyed || signal?.aborted === true || !isSame(now, route)) {
      socket.resetAndDestroy();
      signal?.throwIfAborted();
      throw downError(guard, now);
    }
    socket.off('error', ignore);
    return socket;
  };
}

function isSame(now: Route, before: RouteUp): boolean {
  return now.up && now.address === before.address && now.source === before.source;
}

interface Attempt {
  readonly port: number;
  readonly timeoutMs: number;
}

/** It may be cut at any time, and until it is handed out nobody else listens. */
function ignore(): void {}

/** The socket's errors are ignored until whoever takes it says otherwise. */
async function connect(
  guard: RouteGuard,
  { address, source }: RouteUp,
  { port, timeoutMs }: Attempt,
  signal?: AbortSignal,
): Promise<GuardedSocket> {
  const where = `${bracketed(address)}:${port}`;
  const socket = new GuardedSocket(guard, address, { allowHalfOpen: true }).on('error', ignore);
  // From our address in the VPN: where that is gone this fails, instead of leaving through another interface. Where the
  // interface is only down it leaves all the same, so the route is looked at once more.
  socket.connect({ host: address, port, localAddress: source, noDelay: true });
  try {
    await connected(socket, timeoutMs, signal);
    return socket;
  } catch (error) {
    socket.destroy();
    signal?.throwIfAborted();
    throw toDialError(error, where);
  }
}

async function connected(socket: GuardedSocket, timeoutMs: number, signal?: AbortSignal): Promise<void> {
  const limit = new AbortController();
  const giveUp = (): void => limit.abort();
  const timer = setTimeout(giveUp, timeoutMs);
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    await once(socket, 'connect', { signal: limit.signal });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
  }
}

function toDialError(error: unknown, where: string): DialError {
  const code = systemCode(error);
  if (code === 'ECONNREFUSED') return failure(directFailure.refused, where, 'nothing listens there', error);
  const known: Readonly<Record<string, string>> = {
    EADDRNOTAVAIL: 'our address in the VPN is gone, or no port is free',
    EHOSTUNREACH: 'no route to it',
    ENETUNREACH: 'no route to it',
    EACCES: 'not permitted',
    EPERM: 'not permitted',
    // WireGuard's own answer for a peer without an endpoint, and for an address of no peer.
    EDESTADDRREQ: 'its WireGuard peer has no endpoint',
    ENOKEY: 'it belongs to no WireGuard peer',
    ETIMEDOUT: 'no answer',
    ABORT_ERR: 'no answer in time',
  };
  const why = known[code ?? ''] ?? (error instanceof Error ? error.message : String(error));
  const isSilent = code === 'ETIMEDOUT' || code === 'ABORT_ERR';
  return failure(isSilent ? directFailure.silent : directFailure.failed, where, why, error);
}

function failure(code: string, where: string, why: string, cause: unknown): DialError {
  return new DialError(code, `Cannot connect to ${where} over WireGuard: ${why}`, { cause });
}

function downError({ vpn }: RouteGuard, route: Route): DialError {
  const why = route.up ? 'the route has just changed' : route.reason;
  return new DialError(directFailure.down, `WireGuard does not lead to ${vpn.host}: ${why}`);
}

/** Whether somebody answers on the VPN address, be it by a refusal. */
export async function isReachable(dial: Dialer, port: number): Promise<boolean> {
  let stream: Duplex;
  try {
    stream = await dial({ kind: 'tcp', host: 'localhost', port });
  } catch (error) {
    return error instanceof DialError && error.code === directFailure.refused;
  }
  stream.on('error', ignore).destroy();
  return true;
}
