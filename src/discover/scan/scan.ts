import type { Dialer, Endpoint } from '../../endpoint.ts';
import { speaksHttp } from '../../speaks-http.ts';
import { openFailure } from '../channel-refusal.ts';
import { adminPlaces, findCaddy, ADMIN } from './caddy-admin.ts';
import { withCaddyPorts, withCaddySockets } from './caddy-notes.ts';
import type { FoundPort, FoundSocket, Scan } from './found.ts';
import { probeHttp, type HttpAnswer } from './http-probe.ts';
import { hostOf, listed, type Listed } from './listed.ts';
import { pool } from './pool.ts';
import { look } from './script.ts';
import { toldSockets, usualPorts } from './usual-places.ts';
import { notSeen } from './unseen.ts';

/** The host, as far as it is needed to look at it. */
export interface Scanned {
  readonly alias: string;
  readonly user: string;
  readonly exec: (command: string, timeoutMs?: number) => Promise<{ readonly stdout: string }>;
  readonly dial: Dialer;
}

export interface ScanOptions {
  /** Asks what belongs to the system as well. */
  readonly all?: boolean;
  readonly signal?: AbortSignal;
}

/** All questions that are dialled together; what has not answered by then is shown as it is known. */
const DIALLING_MS = 15_000;
const AT_ONCE = 6;
const MOST_DIALLED = 100;

/**
 * Looks at what a host listens on: one command that only reads, `GET /` to each port and socket that may speak HTTP, and
 * Caddy's admin API where there is one. Never rejects for what the other side does, unless the connection is lost.
 */
export async function scan(host: Scanned, { all = false, signal }: ScanOptions = {}): Promise<Scan> {
  const told = await tell(host);
  const limit = AbortSignal.any([AbortSignal.timeout(DIALLING_MS), ...(signal ? [signal] : [])]);
  const seen = typeof told === 'string' ? undefined : told;
  const places = seen === undefined ? [ADMIN] : adminPlaces(seen.ports, seen.sockets);
  const caddy = await findCaddy(host.dial, places, limit);
  const sites = caddy?.sites ?? [];
  const probe = new Prober(host.dial, limit, { all, listed: seen !== undefined });
  const [ports, sockets] = await Promise.all([
    probe.ports(seen?.ports ?? usualPorts(sites)),
    probe.sockets(seen?.sockets ?? toldSockets(sites)),
  ]);
  const isThere = ({ access }: FoundPort | FoundSocket): boolean => seen !== undefined || access === 'yes';
  return {
    host: host.alias,
    user: seen?.user ?? host.user,
    time: new Date().toISOString(),
    source: seen?.source ?? 'dialled',
    ports: withCaddyPorts(ports.filter(isThere), sites),
    sockets: withCaddySockets(sockets.filter(isThere), sites),
    ...(caddy && { caddyAdmin: caddy.admin }),
    unseen: notSeen({ told, ports, sockets, prohibited: probe.prohibited }),
  };
}

/** What the command over there could see, or why nothing was. */
async function tell({ exec }: Scanned): Promise<Listed | string> {
  try {
    const answers = await look(exec);
    if (answers === undefined) return 'there is no POSIX shell';
    return listed(answers) ?? 'there is neither ss nor /proc nor lsof nor netstat';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Dials what was found, few at a time. */
class Prober {
  /** What sshd said that it forwards to nobody or not to us. */
  readonly prohibited = new Set<'port' | 'socket'>();
  readonly #dial: Dialer;
  readonly #signal: AbortSignal;
  readonly #options: { readonly all: boolean; readonly listed: boolean };
  readonly #run = pool(AT_ONCE);
  #dialled = 0;

  constructor(dial: Dialer, signal: AbortSignal, options: { all: boolean; listed: boolean }) {
    this.#dial = dial;
    this.#signal = signal;
    this.#options = options;
  }

  async ports(found: readonly FoundPort[]): Promise<FoundPort[]> {
    return await Promise.all(
      found.map((port) => this.#probed(port, { kind: 'tcp', host: hostOf(port.addresses), port: port.port })),
    );
  }

  async sockets(found: readonly FoundSocket[]): Promise<FoundSocket[]> {
    return await Promise.all(
      found.map((socket) => this.#probed(socket, { kind: 'unix', path: socket.path })),
    );
  }

  /** What is listed and does not speak HTTP is left alone: databases count connections that say nothing. */
  async #probed<T extends FoundPort | FoundSocket>(found: T, endpoint: Endpoint): Promise<T> {
    const mayAsk = found.access !== 'no' && (this.#options.all || !found.system);
    const isHttp = speaksHttp(endpoint);
    if (!mayAsk || (this.#options.listed && !isHttp) || this.#dialled >= MOST_DIALLED) return found;
    this.#dialled += 1;
    return await this.#run(async () => {
      if (this.#signal.aborted) return found;
      try {
        const http = await this.#ask(endpoint, isHttp);
        return { ...found, access: 'yes', ...(http && { http }) };
      } catch (error) {
        return { ...found, ...this.#refused(error, endpoint) };
      }
    });
  }

  async #ask(endpoint: Endpoint, isHttp: boolean): Promise<HttpAnswer | undefined> {
    if (isHttp) return await probeHttp(this.#dial, endpoint, this.#signal);
    (await this.#dial(endpoint, this.#signal)).destroy();
    return undefined;
  }

  #refused(error: unknown, { kind }: Endpoint): { access: 'no' | 'unknown'; why?: string } {
    const { reason } = error as { reason?: unknown };
    if (typeof reason !== 'number') return { access: 'unknown' };
    // A socket that is listened on and may be written to is refused by sshd, which says nothing else of sockets.
    if (kind === 'unix' && this.#options.listed) this.prohibited.add('socket');
    else if (reason === openFailure.prohibited) this.prohibited.add(kind === 'tcp' ? 'port' : 'socket');
    return {
      access: 'no',
      ...(kind === 'unix' && { why: 'the SSH server does not open it' }),
    };
  }
}
