// The near side of the VPN: started in its network namespace, and asked over IPC by near-side.ts.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Duplex } from 'node:stream';
import { parseWireguard } from '../../src/wireguard/address.ts';
import { checkRoute } from '../../src/wireguard/check-route.ts';
import { directDialer } from '../../src/wireguard/direct-dialer.ts';
import { failOver, type FailOver } from '../../src/wireguard/fail-over.ts';
import { Health, type HealthOptions, type HealthStatus } from '../../src/wireguard/health.ts';
import type { Path, PathChange } from '../../src/wireguard/health-state.ts';
import { reportWireguard, type WireguardReport } from '../../src/wireguard/report.ts';
import { RouteGuard } from '../../src/wireguard/route-guard.ts';
import type { Route } from '../../src/wireguard/route.ts';
import { askingIn } from '../../src/wireguard/system.ts';
import { DialError, systemCode, TunnelError } from '../../src/errors.ts';

/** What one request has come to. */
export interface Outcome {
  readonly sent: string;
  readonly via?: Path;
  readonly answer?: string;
  readonly error?: string;
}

export interface Start {
  /** As `--wireguard` takes it. */
  readonly vpn: string;
  /** What stands for SSH: every endpoint is reached through this one port. */
  readonly ssh: { readonly host: string; readonly port: number };
  /** Makes the times of `HealthOptions` shorter. */
  readonly times?: Pick<HealthOptions, 'holdMs' | 'probeEveryMs'>;
}

let dial: FailOver | undefined;
let health: Health | undefined;
let held: Duplex | undefined;
let heldError: string | undefined;
let isAsking = false;
let outcomes: Promise<Outcome>[] = [];
let lastVia: Path | undefined;
let dials = 0;
const changes: PathChange[] = [];

async function request(port: number, sent: string): Promise<Outcome> {
  if (dial === undefined) throw new Error('Not started');
  let stream: Duplex;
  try {
    stream = await dial({ kind: 'tcp', host: 'localhost', port });
  } catch (error) {
    return { sent, error: codeOf(error) };
  }
  const via = (stream as { via?: Path }).via ?? 'wireguard';
  try {
    stream.end(sent);
    return { sent, via, answer: await text(stream) };
  } catch (error) {
    return { sent, via, error: codeOf(error) };
  }
}

function codeOf(error: unknown): string {
  return error instanceof TunnelError ? error.code : (systemCode(error) ?? String(error));
}

const methods = {
  /** `tools`: the only folder in which commands of the system are found. */
  async checkRoute(vpn: string, tools?: string): Promise<Route> {
    return await checkRoute(parseWireguard(vpn), ...(tools === undefined ? [] : [askingIn(tools)]));
  },
  async report(vpn: string, ports: number[]): Promise<WireguardReport> {
    return await reportWireguard(parseWireguard(vpn), ports);
  },
  async start({ vpn, ssh, times }: Start): Promise<HealthStatus> {
    const guard = new RouteGuard(parseWireguard(vpn));
    const direct = directDialer(guard);
    health = new Health({
      ...times,
      guard,
      direct: (endpoint, signal) => {
        dials += 1;
        return direct(endpoint, signal);
      },
    });
    health.onChange((change) => changes.push(change));
    const dialSsh = async (): Promise<Duplex> => {
      const socket = connect({ ...ssh, allowHalfOpen: true, noDelay: true });
      try {
        await once(socket, 'connect');
      } catch (cause) {
        throw new DialError(codeOf(cause), 'Not over SSH either', { cause });
      }
      return Object.assign(socket, { via: 'ssh' });
    };
    dial = failOver({ direct, ssh: dialSsh, health, onOpen: (_endpoint, via) => (lastVia = via) });
    await health.ready;
    return health.status();
  },
  request,
  /** Whether as many bytes as these come back as they were. */
  async upload(port: number, length: number): Promise<boolean> {
    const sent = randomBytes(length / 2).toString('hex');
    const { answer } = await request(port, sent);
    return answer === `vpn ${sent}`;
  },
  /** Opens a connection and keeps it. */
  async hold(port: number): Promise<Path | undefined> {
    held = await dial?.({ kind: 'tcp', host: 'localhost', port });
    held?.on('error', (error) => (heldError = codeOf(error)));
    return lastVia;
  },
  /** Ends it, and gives the answer. */
  async finishHeld(): Promise<string> {
    return held === undefined ? '' : await text(held.end());
  },
  async writeHeld(sent: string): Promise<void> {
    held?.write(sent);
  },
  async heldError(): Promise<string | undefined> {
    return heldError;
  },
  /** Becomes nobody, for good. */
  async dropRights(): Promise<void> {
    process.setgroups?.([]);
    process.setgid?.(65_534);
    process.setuid?.(65_534);
  },
  async status(): Promise<HealthStatus | undefined> {
    return health?.status();
  },
  async changes(): Promise<PathChange[]> {
    return changes;
  },
  /** How many times the VPN was probed. */
  async probes(): Promise<number> {
    return dials;
  },
  /** Asks, on a new connection every 50 ms, until `stopAsking`. */
  async ask(port: number): Promise<void> {
    isAsking = true;
    outcomes = [];
    const next = (): void => {
      if (!isAsking) return;
      outcomes.push(request(port, `request ${outcomes.length}`));
      setTimeout(next, 50);
    };
    next();
  },
  async stopAsking(): Promise<Outcome[]> {
    isAsking = false;
    return await Promise.all(outcomes);
  },
};

export type Methods = typeof methods;

process.on('message', ({ id, method, args }: { id: number; method: keyof Methods; args: unknown[] }) => {
  const call = methods[method] as (...args: unknown[]) => Promise<unknown>;
  call(...args).then(
    (result) => process.send?.({ id, result }),
    (error: unknown) => process.send?.({ id, error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
