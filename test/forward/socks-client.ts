import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { TestContext } from 'node:test';
import type { Dialer, Endpoint } from '../../src/endpoint.ts';
import type { TunnelError } from '../../src/errors.ts';
import type { Forward } from '../../src/forward/forward.ts';
import { type LocalForwardOptions, openLocalForward } from '../../src/forward/local.ts';
import { cleanEnv } from '../rig/env.ts';
import { run } from '../rig/run.ts';
import { dialHere, endpointsOf, tempFolder } from './streams.ts';

export interface SocksPort {
  readonly forward: Forward;
  readonly endpoint: Endpoint;
  readonly port: number;
  /** What was dialled. */
  readonly asked: readonly Endpoint[];
  readonly errors: readonly TunnelError[];
}

/** A dynamic forward on a free port, closed after the test. The name `far.test` is this machine. */
export async function openSocks(
  t: TestContext,
  options: Partial<LocalForwardOptions> = {},
): Promise<SocksPort> {
  const asked: Endpoint[] = [];
  const errors: TunnelError[] = [];
  const dial = options.dial ?? dialFarTest;
  const forward = await openLocalForward({
    spec: { kind: 'dynamic', listen: { kind: 'tcp', port: 'auto' } },
    remoteName: randomUUID(),
    onError: (error) => errors.push(error),
    ...options,
    dial: (endpoint, signal) => {
      asked.push(endpoint);
      return dial(endpoint, signal);
    },
  });
  t.after(() => forward.close());
  const [endpoint] = endpointsOf(forward);
  if (endpoint?.kind !== 'tcp') throw new Error('it does not listen on a port');
  return { forward, endpoint, port: endpoint.port, asked, errors };
}

/** Resolves `far.test`, as a name server at the far end would. */
export const dialFarTest: Dialer = (endpoint, signal) =>
  dialHere(
    endpoint.kind === 'tcp' && endpoint.host === 'far.test' ? { ...endpoint, host: '127.0.0.1' } : endpoint,
    signal,
  );

/** A dialer that connects only once it is released. */
export function heldDialer(): { readonly dial: Dialer; readonly release: () => void } {
  const gate = new EventEmitter();
  const released = once(gate, 'release');
  return {
    dial: async (endpoint) => {
      await released;
      return dialHere(endpoint);
    },
    release: () => void gate.emit('release'),
  };
}

/** Bytes written as hexadecimal digits and spaces, with text in quotes: `05 01 'abc' 00`. */
export function bytes(written: string): Buffer {
  const parts = written.match(/'[^']*'|[0-9a-f]{2}/g) ?? [];
  return Buffer.concat(
    parts.map((part) => (part.startsWith("'") ? Buffer.from(part.slice(1, -1)) : Buffer.from(part, 'hex'))),
  );
}

/** A SOCKS 5 greeting and CONNECT to 127.0.0.1 in one piece, as a client sends it that does not wait. */
export function connectRequest(endpoint: Endpoint): Buffer {
  if (endpoint.kind !== 'tcp') throw new Error('SOCKS knows no sockets');
  const port = Buffer.alloc(2);
  port.writeUInt16BE(endpoint.port);
  return Buffer.concat([bytes('05 01 00 05 01 00 01 7f 00 00 01'), port]);
}

/** What a SOCKS 5 client is answered to that greeting and request when it is connected. */
export const connected = bytes('05 00 05 00 00 01 00 00 00 00 00 00');

export async function curl(t: TestContext, ...args: readonly string[]) {
  // -q: without a configuration file.
  return run(['curl', '-q', '-sS', '--max-time', '30', ...args], { env: cleanEnv(tempFolder(t)) });
}
