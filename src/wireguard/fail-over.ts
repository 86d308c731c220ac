import type { Duplex } from 'node:stream';
import type { Dialer, Endpoint, TcpEndpoint } from '../endpoint.ts';
import { DialError } from '../errors.ts';
import { directFailure } from './direct-dialer.ts';
import type { Health } from './health.ts';
import type { Path } from './health-state.ts';

export interface FailOverOptions {
  readonly direct: Dialer;
  readonly ssh: Dialer;
  readonly health: Health;
  /** Whether a name of an endpoint is the host itself; default only what `isLoopback` says. See `namesOf`. */
  readonly isHost?: (host: string) => boolean;
  /** `wireguard`: what can go over it goes no other way; `ssh`: nothing goes over WireGuard. Default `auto`. */
  readonly via?: Path | 'auto';
  /** Told the way of each connection that is open. */
  readonly onOpen?: (endpoint: Endpoint, via: Path) => void;
}

/** A `Dialer`, and the way that it would take for an endpoint now. */
export type FailOver = Dialer & { readonly pathOf: (endpoint: Endpoint) => Path };

/**
 * Dials over the VPN as long as it is up, else over SSH; decided for each connection. One that is still being opened
 * when the VPN goes away is opened over SSH instead: nothing was sent on it.
 *
 * Only ports of the host itself go over the VPN. Sockets and third hosts are reached from there, by SSH.
 */
export function failOver(options: FailOverOptions): FailOver {
  const { direct, ssh, health, isHost = isLoopback, via = 'auto', onOpen } = options;

  const mayGoDirect = (endpoint: Endpoint): endpoint is TcpEndpoint =>
    via !== 'ssh' && endpoint.kind === 'tcp' && isHost(endpoint.host);

  const goesDirect = (endpoint: TcpEndpoint): boolean =>
    via === 'wireguard' || (health.via === 'wireguard' && health.ports.isOpen(endpoint.port));

  const dialSsh = async (endpoint: Endpoint, signal?: AbortSignal): Promise<Duplex> => {
    const stream = await ssh(endpoint, signal);
    onOpen?.(endpoint, 'ssh');
    return stream;
  };

  /** Undefined: the VPN is not the way. */
  const dialDirect = async (endpoint: TcpEndpoint, signal?: AbortSignal): Promise<Duplex | undefined> => {
    const from = performance.now();
    try {
      const stream = await whileUsed(health, signal, (limit) => direct(endpoint, limit));
      health.ports.answered(endpoint.port);
      onOpen?.(endpoint, 'wireguard');
      return stream;
    } catch (error) {
      signal?.throwIfAborted();
      if (isRefusal(error)) {
        health.ports.answered(endpoint.port);
        health.ports.close(endpoint.port);
      } else {
        health.failed(endpoint.port, error, from);
      }
      if (via === 'wireguard') throw asDialError(error, health);
      return undefined;
    }
  };

  const dial: Dialer = async (endpoint, signal) => {
    if (!mayGoDirect(endpoint)) return await dialSsh(endpoint, signal);
    await health.ready;
    signal?.throwIfAborted();
    const stream = goesDirect(endpoint) ? await dialDirect(endpoint, signal) : undefined;
    if (stream !== undefined) return stream;
    try {
      return await dialSsh(endpoint, signal);
    } catch (error) {
      // Nothing listens there at all: when it does, it may as well be in the VPN.
      health.ports.forget(endpoint.port);
      throw error;
    }
  };
  const pathOf = (endpoint: Endpoint): Path =>
    mayGoDirect(endpoint) && goesDirect(endpoint) ? 'wireguard' : 'ssh';
  return Object.assign(dial, { pathOf });
}

/** The host as seen from itself. Not the rest of 127.0.0.0/8, which programs there may have shared out. */
export function isLoopback(host: string): boolean {
  return ['localhost', '127.0.0.1', '::1'].includes(host.toLowerCase());
}

/** For `FailOverOptions.isHost`: a host is itself under the names that the person knows it by, too. */
export function namesOf(...names: readonly string[]): (host: string) => boolean {
  const known = new Set(names.map((name) => name.toLowerCase()));
  return (host) => isLoopback(host) || known.has(host.toLowerCase());
}

/** Gives up `open` when the VPN is no longer used, and when the caller does. */
async function whileUsed<T>(
  health: Health,
  signal: AbortSignal | undefined,
  open: (limit: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const giveUp = (): void => limit.abort();
  const forget = health.onChange(({ via }) => {
    if (via === 'ssh') giveUp();
  });
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    return await open(limit.signal);
  } finally {
    forget();
    signal?.removeEventListener('abort', giveUp);
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof DialError && error.code === directFailure.refused;
}

/** What was given up because the VPN went away says so. */
function asDialError(error: unknown, health: Health): DialError {
  if (error instanceof DialError) return error;
  return new DialError(directFailure.down, `WireGuard is not used: ${health.status().reason}`, {
    cause: error,
  });
}
