import { connect, type LookupFunction, type Socket } from 'node:net';
import { type Endpoint, formatEndpoint } from '../endpoint.ts';
import { DialError, systemCode } from '../errors.ts';
import { localSocketPath } from '../spec.ts';

/**
 * A `Dialer` that connects from this machine, for what comes in from the remote. Names are resolved here and each of their
 * addresses is tried; localhost is 127.0.0.1 and ::1. `~` is the home here. Rejects with a `DialError`.
 */
export function dialLocal(endpoint: Endpoint, signal?: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const socket = open(endpoint);
    const abort = (): void => {
      socket.destroy();
      reject(signal?.reason as Error);
    };
    const fail = (error: Error): void => {
      signal?.removeEventListener('abort', abort);
      reject(toDialError(error, endpoint));
    };
    signal?.addEventListener('abort', abort, { once: true });
    socket.once('error', fail);
    socket.once('connect', () => {
      signal?.removeEventListener('abort', abort);
      socket.off('error', fail);
      resolve(socket);
    });
  });
}

function open(endpoint: Endpoint): Socket {
  return endpoint.kind === 'unix'
    ? connect({ path: localSocketPath(endpoint.path), allowHalfOpen: true })
    : connect({
        host: endpoint.host,
        port: endpoint.port,
        allowHalfOpen: true,
        noDelay: true,
        autoSelectFamily: true,
        ...(endpoint.host === 'localhost' ? { lookup: lookUpLocalhost } : {}),
      });
}

/** Both loopback addresses, whichever of them the resolver knows. The error of the first is the one reported. */
const lookUpLocalhost: LookupFunction = (_host, _options, found) => {
  found(null, [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ]);
};

interface Cause {
  readonly code: string;
  readonly why: string;
  readonly next?: string;
}

const unreachable: Cause = { code: 'connect-unreachable', why: 'no route to it' };
const notPermitted: Cause = {
  code: 'connect-not-permitted',
  why: 'permission denied',
  next: 'A firewall on this machine does not allow it.',
};
const missing: Cause = {
  code: 'socket-missing',
  why: 'no such socket',
  next: 'Start its server, or forward to another path.',
};

/** By the system's code. Ours are the ones that a connection which fails at the far end has. */
const tcpCauses: Readonly<Record<string, Cause>> = {
  ECONNREFUSED: {
    code: 'connect-refused',
    why: 'nothing listens there',
    next: 'Start the server, or forward to another port.',
  },
  ETIMEDOUT: { code: 'connect-timeout', why: 'no answer' },
  ENETUNREACH: unreachable,
  EHOSTUNREACH: unreachable,
  EACCES: notPermitted,
  EPERM: notPermitted,
  ENOTFOUND: { code: 'unknown-host', why: 'no such host' },
  EAI_AGAIN: { code: 'name-server-failed', why: 'its name could not be looked up' },
};

const socketCauses: Readonly<Record<string, Cause>> = {
  ENOENT: missing,
  ENOTDIR: missing,
  ECONNREFUSED: { code: 'socket-nobody-listening', why: 'nothing listens on it', next: 'Start its server.' },
  EACCES: {
    code: 'socket-permission',
    why: 'permission denied',
    next: 'Connecting takes write permission on the socket, and x on every folder above.',
  },
  EAGAIN: { code: 'socket-queue-full', why: 'its server does not accept connections fast enough' },
};

function toDialError(error: Error, endpoint: Endpoint): DialError {
  const isSocket = endpoint.kind === 'unix';
  const target = isSocket ? localSocketPath(endpoint.path) : formatEndpoint(endpoint);
  const cause = (isSocket ? socketCauses : tcpCauses)[systemCode(error) ?? ''];
  const { code, why, next } = cause ?? { code: 'connect-failed', why: error.message, next: undefined };
  return new DialError(code, `Cannot connect to ${target} on this machine: ${why}`, {
    hint: next === undefined ? [] : [next],
    cause: error,
  });
}
