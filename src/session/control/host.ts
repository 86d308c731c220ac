import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import type { Server } from 'node:http';
import { makePrivateDirectory, runtimeDirectory } from '../../config/directories.ts';
import { ListenError, systemCode, type TunnelError } from '../../errors.ts';
import type { SessionEvent } from '../events.ts';
import { LogFile, logPath } from '../log-file.ts';
import type { SessionPlan } from '../plan.ts';
import { eventReport } from '../report.ts';
import { Session, type LifeOptions, type Traffic } from '../session.ts';
import { Leases } from './leases.ts';
import { controlServer, type Controlled } from './server.ts';
import { claim, controlSocketPath } from './socket.ts';
import { sessionStatus, type SessionStatus } from './status.ts';

export interface HostOptions extends LifeOptions {
  /** Gives up opening. */
  readonly signal?: AbortSignal;
}

/** How long connections may finish when another process asks for the end and does not say. */
const GRACE_MS = 3000;
/** How long a client of the control socket gets to read the last words. */
const FAREWELL_MS = 500;

/**
 * Opens the session that `name` stands for, in this process, with a control socket and a log; undefined if there is one
 * already. Throws a `UsageError` for a directory that is not safe. The caller closes the session.
 */
export async function hostSession(
  plan: SessionPlan,
  name: string,
  options: HostOptions,
): Promise<HostedSession | undefined> {
  makePrivateDirectory(runtimeDirectory());
  const path = controlSocketPath(name);
  const listen = async (): Promise<HostedSession> => {
    let hosted: HostedSession | undefined;
    const server = controlServer(() => hosted as HostedSession);
    server.listen(path);
    await once(server, 'listening');
    chmodSync(path, 0o600);
    // Before anything else happens: a request may come in the next turn of the event loop.
    hosted = new HostedSession(plan, name, options, server);
    return hosted;
  };
  return await claim(path, listen, options.signal).catch((error: unknown) => {
    throw options.signal?.aborted === true || systemCode(error) === undefined
      ? error
      : cannotListen(path, error as Error);
  });
}

function cannotListen(path: string, cause: Error): ListenError {
  return new ListenError('control-socket', `Cannot make the control socket ${path}: ${cause.message}`, {
    cause,
    hint: ['Choose a directory that can be written with TUNNEL_RUNTIME_DIR.'],
  });
}

/** A session that other processes can see and change. */
export class HostedSession implements Controlled {
  readonly session: Session;
  readonly leases: Leases;
  /** Settles when the session has ended and its control socket is gone. */
  readonly closed: Promise<TunnelError | undefined>;
  /** Whether another process asked for the end. */
  stopped = false;
  readonly #plan: SessionPlan;
  readonly #name: string;
  readonly #onEvent: (event: SessionEvent) => void;
  readonly #followers = new Set<(event: SessionEvent) => void>();
  readonly #log: LogFile;
  readonly #startedAt = performance.now();
  readonly #opened: Promise<void>;
  #isOpen = false;

  constructor(plan: SessionPlan, name: string, options: HostOptions, server: Server) {
    this.#plan = plan;
    this.#name = name;
    this.#onEvent = options.onEvent ?? (() => undefined);
    this.#log = new LogFile(logPath(name), (why) =>
      this.#tell({ type: 'warning', message: `The log of ${name} cannot be written: ${why}` }),
    );
    this.session = new Session(plan, { ...options, onEvent: (event) => this.#hear(event) });
    this.leases = new Leases(this.session);
    this.#opened = this.session.open(options.signal).then(() => {
      this.#isOpen = true;
    });
    // Whoever waits is told; there may be nobody.
    this.#opened.catch(() => undefined);
    this.closed = this.#end(server);
  }

  opened(): Promise<void> {
    return this.#opened;
  }

  status(): SessionStatus {
    return sessionStatus(this.session, this.#plan, this.#name, this.#startedAt);
  }

  follow(listener: (event: SessionEvent) => void): () => void {
    for (const event of this.#past()) listener(event);
    this.#followers.add(listener);
    return () => this.#followers.delete(listener);
  }

  async retry(): Promise<void> {
    await this.session.retry();
  }

  traffic(): Traffic {
    return this.session.traffic();
  }

  async close(options: { graceMs?: number } = {}): Promise<void> {
    await this.session.close(options);
    await this.closed;
  }

  stop(graceMs = GRACE_MS): void {
    this.stopped = true;
    void this.session.close({ graceMs });
  }

  /** What has led to how things are now. */
  *#past(): Generator<SessionEvent> {
    const { state, account, host, forwards } = this.session;
    if (!this.#isOpen) return;
    if (account !== undefined) yield { type: 'ready', host, ...account };
    for (const forward of forwards) yield { type: 'forward', forward };
    if (state.name === 'waiting') {
      const retryInMs = Math.max(0, Math.round(state.retryAt - performance.now()));
      yield { type: 'waiting', host, error: state.reason, retryInMs };
    }
  }

  #hear(event: SessionEvent): void {
    // A busy forward would fill the log with them, and they tell little.
    if (event.type !== 'connection') this.#log.write(eventReport(event));
    this.#tell(event);
  }

  #tell(event: SessionEvent): void {
    this.#onEvent(event);
    for (const listener of this.#followers) listener(event);
  }

  async #end(server: Server): Promise<TunnelError | undefined> {
    const error = await this.session.closed;
    this.#log.close();
    const gone = once(server, 'close');
    server.close();
    server.closeIdleConnections();
    const timer = setTimeout(() => server.closeAllConnections(), FAREWELL_MS);
    await gone;
    clearTimeout(timer);
    return error;
  }
}
