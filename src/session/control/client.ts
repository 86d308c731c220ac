import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { NotFoundError, type TunnelError } from '../../errors.ts';
import { formatSpec, type ForwardSpec } from '../../spec.ts';
import type { SessionEvent } from '../events.ts';
import { httpFields } from '../http-spec.ts';
import {
  readEvent,
  ReportedError,
  type ErrorReport,
  type EventReport,
  type ForwardReport,
} from '../report.ts';
import { request } from './http.ts';
import type { SessionStatus } from './status.ts';

/** A session that is alive answers at once; one whose process is stopped does not. */
const ANSWER_MS = 5000;

export interface AddedReport {
  readonly added: readonly ForwardReport[];
  /** Was open before. */
  readonly already: readonly ForwardReport[];
}

/** The events of a session, and the right to forwards that go when it is closed. */
export interface EventStream {
  readonly lease: string;
  /** Ends with the session. Throws what breaks the stream. */
  readonly events: AsyncIterable<SessionEvent>;
  close(): void;
}

/** Whoever speaks to a session does it with this. Every method throws the `TunnelError` that the session reports. */
export class ControlClient {
  readonly #path: string;

  /** `path` is that of a control socket. */
  constructor(path: string) {
    this.#path = path;
  }

  async status(): Promise<SessionStatus> {
    return (await this.#ask('GET', '/v1/status')) as SessionStatus;
  }

  /**
   * Waits for a session that is just being opened, as long as that takes. When `signal` is aborted nothing is added any
   * more, and this rejects.
   */
  async add(
    forwards: readonly ForwardSpec[],
    { lease, signal }: { lease?: string; signal?: AbortSignal } = {},
  ): Promise<AddedReport> {
    const body = { forwards: forwards.map(toItem), ...(lease !== undefined && { lease }) };
    return (await this.#ask('POST', '/v1/forwards', body, Infinity, signal)) as AddedReport;
  }

  async cancel(forwards: readonly ForwardSpec[]): Promise<readonly ForwardReport[]> {
    const answer = await this.#ask('DELETE', '/v1/forwards', { forwards: forwards.map(toItem) });
    return (answer as { cancelled: readonly ForwardReport[] }).cancelled;
  }

  async retry(): Promise<SessionStatus> {
    return (await this.#ask('POST', '/v1/retry', {}, Infinity)) as SessionStatus;
  }

  /** Returns when the session has been told; it ends after `graceMs` at the latest. */
  async stop(graceMs?: number): Promise<SessionStatus> {
    return (await this.#ask('POST', '/v1/stop', graceMs === undefined ? {} : { graceMs })) as SessionStatus;
  }

  async follow(): Promise<EventStream> {
    const response = await this.#send('GET', '/v1/events', undefined, ANSWER_MS);
    return {
      lease: String(response.headers['tunnel-lease']),
      events: readLines(response),
      close: () => void response.destroy(),
    };
  }

  async #ask(
    method: string,
    path: string,
    body?: object,
    timeoutMs = ANSWER_MS,
    signal?: AbortSignal,
  ): Promise<unknown> {
    return await this.#read(await this.#send(method, path, body, timeoutMs, signal));
  }

  async #send(
    method: string,
    path: string,
    body: object | undefined,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<IncomingMessage> {
    const content = body === undefined ? '' : JSON.stringify(body);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(content) };
      const options = { socketPath: this.#path, method, path, headers, agent: false };
      const sent = request({ ...options, ...(signal && { signal }) }, resolve);
      if (timeoutMs < Infinity) {
        sent.setTimeout(timeoutMs, () => sent.destroy(new Error(`no answer for ${timeoutMs / 1000} s`)));
      }
      sent.once('error', (error) => reject(this.#unreachable(error)));
      sent.end(content);
    });
    response.socket.setTimeout(0);
    if ((response.statusCode ?? 500) < 400) return response;
    const { error } = (await this.#read(response)) as { error?: ErrorReport };
    throw error === undefined
      ? this.#unreachable(new Error(`status ${response.statusCode}`))
      : new ReportedError({ ...error, exitStatus: error.exitStatus ?? 1 });
  }

  async #read(response: IncomingMessage): Promise<unknown> {
    try {
      return JSON.parse(await text(response)) as unknown;
    } catch (error) {
      throw this.#unreachable(error as Error);
    }
  }

  #unreachable(cause: Error): TunnelError {
    return new NotFoundError(
      'no-session',
      `The session at ${this.#path} does not answer as it should: ${cause.message}`,
      {
        cause,
        hint: ['If its process hangs, end it with kill; the next command cleans up after it.'],
      },
    );
  }
}

function toItem(spec: ForwardSpec): object {
  const item = { kind: spec.kind, spec: formatSpec(spec) };
  return spec.kind === 'http' ? { ...item, ...httpFields(spec) } : item;
}

async function* readLines(response: IncomingMessage): AsyncGenerator<SessionEvent> {
  const { createInterface } = await import('node:readline');
  for await (const line of createInterface({ input: response })) {
    yield readEvent(JSON.parse(line) as EventReport);
  }
}
