import type { Socket } from 'node:net';
import { type Dialer, type Endpoint, formatEndpoint } from '../endpoint.ts';
import { ListenError, type TunnelError } from '../errors.ts';
import { openListener } from '../forward/listener.ts';
import type { Listen } from '../spec.ts';
import type { AccessRecord, RecordOptions } from './access-record.ts';
import { addressNames, Guard } from './guard.ts';
import { makeHttpServer, type Patience, plainAnswer } from './http-server.ts';
import { Pool } from './pool.ts';
import type { Presented } from './presented.ts';
import type { Rule } from './rule.ts';
import { hostsOf } from './rule-hosts.ts';
import { Service } from './service.ts';

export interface ProxyOptions {
  readonly listen: Listen;
  /** From `compileRoutes`, or from a Caddyfile. */
  readonly rules: readonly Rule[];
  readonly dial: Dialer;
  /** Names the other side; it decides which port `auto` is. */
  readonly remoteName: string;
  /** How an upstream is named in pages and in the log; `formatEndpoint` unless told otherwise. */
  readonly describe?: (endpoint: Endpoint) => string;
  /** Names that are answered to beside the loopback ones and those in the rules. */
  readonly allowHosts?: readonly string[];
  /** `http://localhost:5173`: sites whose pages may change things here. */
  readonly allowOrigins?: readonly string[];
  /** `--as HOST`. */
  readonly as?: Presented | undefined;
  readonly onRequest?: ((record: AccessRecord) => void) | undefined;
  /** A connection that was not accepted, or a fault of ours; requests that fail are told by `onRequest`. */
  readonly onError?: ((error: TunnelError) => void) | undefined;
  readonly log?: RecordOptions;
  readonly patience?: Partial<Patience>;
  /** How long an upstream may be silent before its answer; 5 minutes unless told otherwise. */
  readonly answerTimeoutMs?: number;
  /** Clients at a time; more are told to come back. 4096 unless told otherwise. */
  readonly maxConnections?: number;
}

/** A reverse proxy that is open. */
export interface Proxy {
  /** What is listened on, with `auto` replaced by the port. */
  readonly bound: readonly Endpoint[];
  /** Of clients, now. */
  readonly open: number;
  /** Of clients, since the start. */
  readonly total: number;
  /** Of requests' bodies, and of what follows upgrades. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** The way to the upstreams has changed: no connection that is idle now is used again. */
  reset(): void;
  /** Replaces the rules for requests that come from now on. */
  setRules(rules: readonly Rule[]): void;
  /** Stops accepting, lets requests finish for up to `graceMs` (default 0), and cuts off what is left then. */
  close(options?: { graceMs?: number }): Promise<void>;
}

const defaultPatience: Patience = { headerMs: 30_000, stallMs: 120_000, idleMs: 65_000 };

/** Listens, and serves what the rules say. Throws a `ListenError` (`port-in-use` names its holder). */
export async function openProxy(options: ProxyOptions): Promise<Proxy> {
  const { listen, remoteName, onError, maxConnections = 4096 } = options;
  const pool = new Pool(options.dial);
  const service = new Service(options, pool, options.describe ?? formatEndpoint);
  const patience = { ...defaultPatience, ...options.patience };
  const http = makeHttpServer(service, patience);
  const sockets = new Set<Socket>();
  let total = 0;

  const accept = (socket: Socket): void => {
    socket.on('error', () => {});
    if (sockets.size >= maxConnections) {
      socket.end(plainAnswer(503, 'There are too many connections'), () => socket.destroy());
      return;
    }
    total++;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    http.emit('connection', socket);
  };
  const onAcceptError = (error: Error): void =>
    onError?.(
      new ListenError('accept-failed', `A connection was not accepted: ${error.message}`, { cause: error }),
    );

  const listener = await openListener({ kind: 'http', listen }, remoteName, { accept, onAcceptError });
  const setRules = (rules: readonly Rule[]): void => {
    const names = listener.bound.map((endpoint) => (endpoint.kind === 'tcp' ? endpoint.host : ''));
    const hosts = [...hostsOf(rules), ...(options.allowHosts ?? []), ...addressNames(names)];
    service.use(rules, new Guard({ hosts, allowOrigins: options.allowOrigins ?? [] }));
  };
  setRules(options.rules);

  return {
    bound: listener.bound,
    get open() {
      return sockets.size;
    },
    get total() {
      return total;
    },
    get bytesUp() {
      return service.bytesUp;
    },
    get bytesDown() {
      return service.bytesDown;
    },
    reset: () => pool.reset(),
    setRules,
    async close({ graceMs = 0 } = {}) {
      const stopped = listener.close();
      http.close(() => {});
      await service.finish(graceMs);
      pool.destroy();
      for (const socket of sockets) socket.destroy();
      await stopped;
    },
  };
}
