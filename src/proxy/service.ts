import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import type { Endpoint } from '../endpoint.ts';
import { DialError, TunnelError } from '../errors.ts';
import { type AccessRecord, recordOf, type RecordOptions } from './access-record.ts';
import { answer } from './answer.ts';
import { decide } from './decide.ts';
import { type Failure, isWaiting, toFailure } from './failure.ts';
import { cutOff, type ForwardContext } from './forward-request.ts';
import { type Admitted, type Guard, isRefusal } from './guard.ts';
import { Health } from './health.ts';
import type { HttpHandlers } from './http-server.ts';
import { type Notice, sendNotice } from './page.ts';
import type { Pool } from './pool.ts';
import type { Presented } from './presented.ts';
import type { Rule } from './rule.ts';
import { namesOf } from './rule-hosts.ts';
import { hasBody, type Notes, type Upgrade, type Visit } from './visit.ts';

export interface ServiceOptions {
  readonly as?: Presented | undefined;
  readonly onRequest?: ((record: AccessRecord) => void) | undefined;
  readonly onError?: ((error: TunnelError) => void) | undefined;
  readonly log?: RecordOptions;
  readonly answerTimeoutMs?: number;
}

/** How soon a page that waits for the session asks again. */
const retryAfterS = 2;

/** How long what a client still sends is thrown away after its answer. */
const lingerMs = 5_000;

/** Serves requests: guards, decides, answers, and tells the log. */
export class Service implements HttpHandlers {
  readonly #options: ServiceOptions;
  readonly #context: ForwardContext;
  readonly #live = new Map<Promise<void>, AbortController>();
  readonly #counting = new Set<Notes>();
  readonly #condemned = new WeakSet<Socket>();
  #rules: readonly Rule[] = [];
  #guard!: Guard;
  #bytesUp = 0;
  #bytesDown = 0;
  #finishing = false;

  constructor(options: ServiceOptions, pool: Pool, describe: (endpoint: Endpoint) => string) {
    this.#options = options;
    this.#context = {
      pool,
      describe,
      health: new Health(),
      presented: options.as,
      answerTimeoutMs: options.answerTimeoutMs ?? 300_000,
    };
  }

  /** What is still on its way included. */
  get bytesUp(): number {
    return [...this.#counting].reduce((sum, { bytesUp }) => sum + bytesUp, this.#bytesUp);
  }

  get bytesDown(): number {
    return [...this.#counting].reduce((sum, { bytesDown }) => sum + bytesDown, this.#bytesDown);
  }

  use(rules: readonly Rule[], guard: Guard): void {
    this.#rules = rules;
    this.#guard = guard;
  }

  readonly onRequest = (request: IncomingMessage, response: ServerResponse): void =>
    this.#begin(request, response, undefined);

  readonly onUpgrade = (request: IncomingMessage, response: ServerResponse, socket: Socket): void =>
    this.#begin(request, response, { protocol: request.headers.upgrade ?? '', socket });

  readonly onRefused = (status: number, code: string): void => {
    const record = { method: '', host: '', path: '', bytesUp: 0, bytesDown: 0, durationMs: 0 };
    this.#options.onRequest?.({ ...record, time: new Date().toISOString(), status, error: code });
  };

  /** Lets what is under way finish, and cuts it off after `graceMs`. */
  async finish(graceMs: number): Promise<void> {
    this.#finishing = true;
    const cutOffAll = (): void => {
      for (const abort of this.#live.values()) abort.abort();
    };
    const timer = setTimeout(cutOffAll, Math.min(graceMs, 2 ** 31 - 1));
    if (graceMs <= 0) cutOffAll();
    await Promise.all(this.#live.keys());
    clearTimeout(timer);
  }

  #begin(request: IncomingMessage, response: ServerResponse, upgrade: Upgrade | undefined): void {
    // node:http reads on while an answer that closes the connection is still on its way.
    if (this.#condemned.has(request.socket)) return;
    const abort = new AbortController();
    const served = this.#serve(request, response, upgrade, abort)
      .catch((error: unknown) => this.#options.onError?.(fault(error)))
      .finally(() => this.#live.delete(served));
    this.#live.set(served, abort);
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    upgrade: Upgrade | undefined,
    abort: AbortController,
  ): Promise<void> {
    const started = performance.now();
    const notes: Notes = { bytesUp: 0, bytesDown: 0 };
    this.#counting.add(notes);
    request.on('error', () => {});
    response.on('error', () => {});
    const closed = new Promise<void>((resolve) => response.once('close', () => resolve()));
    response.once('close', () => {
      if (!response.writableFinished) abort.abort();
    });
    linger(request, response);
    if (this.#finishing) response.shouldKeepAlive = false;
    const admitted = this.#guard.admit(request, upgrade !== undefined);
    if (isRefusal(admitted)) {
      // Where a malformed request ends is anybody's guess, so nothing after it is read.
      if (admitted.status === 400) {
        response.shouldKeepAlive = false;
        this.#condemned.add(request.socket);
      }
      this.#tell({ request, response, notes }, admitted);
    } else if (upgrade !== undefined && hasBody(request)) {
      // The parser has let go of the connection, so that nobody would find the body's end.
      this.#tell({ request, response, notes }, upgradeWithBody);
    } else
      await this.#answer({
        request,
        response,
        admitted,
        upgrade: kept(upgrade),
        signal: abort.signal,
        notes,
      });
    const switched = upgrade !== undefined && response.statusCode === 101;
    if (!switched) await closed;
    this.#counting.delete(notes);
    this.#bytesUp += notes.bytesUp;
    this.#bytesDown += notes.bytesDown;
    this.#options.onRequest?.(recordOf(request, response, notes, upgrade, started, this.#options.log ?? {}));
  }

  async #answer(visit: Visit): Promise<void> {
    const { request, response, admitted, signal, notes } = visit;
    // Whatever cuts it off, and whenever, ends what has begun of the answer.
    signal.addEventListener('abort', () => cutOff(visit), { once: true });
    try {
      const decision = await decide(this.#rules, asked(request, admitted));
      if (decision?.name !== undefined) notes.route = decision.name;
      const result = decision === undefined ? 404 : await answer(visit, decision, this.#context);
      if (result === 'sent') return;
      const routes = result === 404 && decision === undefined ? namesOf(this.#rules) : undefined;
      this.#tell(visit, {
        ...plainFailure(result, admitted.path),
        ...(routes === undefined ? {} : { routes }),
      });
    } catch (error) {
      if (signal.aborted || response.headersSent) return cutOff(visit);
      if (!(error instanceof TunnelError)) this.#options.onError?.(fault(error));
      const waiting = isWaiting(error) ? { retryAfter: retryAfterS } : {};
      this.#tell(visit, { ...toFailure(error), ...waiting });
    }
  }

  #tell(
    { request, response, notes }: Pick<Visit, 'request' | 'response' | 'notes'>,
    notice: Failure & Pick<Notice, 'routes' | 'retryAfter'>,
  ): void {
    notes.error = notice.code;
    sendNotice(request, response, { route: notes.route, upstream: notes.upstream, ...notice });
  }
}

/** What no dialer and no upstream should be able to cause. */
function fault(error: unknown): TunnelError {
  const why = error instanceof Error ? error.message : String(error);
  return new DialError('proxy-fault', `A request could not be served: ${why}`, { cause: error });
}

const upgradeWithBody: Failure = {
  status: 501,
  code: 'upgrade-with-body',
  why: 'A request to change the protocol must come without a body here',
  hint: [],
};

/** HTTP/2 over cleartext would carry requests past every check here; a server may ignore the offer. */
function kept(upgrade: Upgrade | undefined): Upgrade | undefined {
  return /^h2c?$/i.test(upgrade?.protocol.trim() ?? '') ? undefined : upgrade;
}

function plainFailure(status: number, path: string): Failure {
  const why = status === 404 ? `There is nothing at ${path}` : (STATUS_CODES[status] ?? 'Error');
  return { status, code: status === 404 ? 'not-found' : `status-${status}`, why, hint: [] };
}

function asked(
  request: IncomingMessage,
  { host, hostport, path, query }: Admitted,
): Parameters<typeof decide>[1] {
  return {
    method: request.method ?? 'GET',
    host: host.name,
    hostport,
    path,
    query,
    remoteHost: request.socket.remoteAddress ?? '',
    header: (name) => {
      const value = request.headers[name.toLowerCase()];
      return Array.isArray(value) ? value.join(', ') : value;
    },
  };
}

/** A client that is still sending is read on for a while: closing at once would take the answer from it. */
function linger(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request;
  response.once('finish', () => {
    if (request.complete || request.destroyed) return;
    request.unpipe();
    request.resume();
    const timer = setTimeout(() => socket.destroy(), lingerMs).unref();
    request.once('close', () => clearTimeout(timer));
  });
}
