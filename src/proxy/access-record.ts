import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Notes, Visit } from './visit.ts';

/** One request, for the log: `GET /api/x 200 41ms (open 18 · app 22) 1.2 kB → ~/api/app.sock`. */
export interface AccessRecord {
  readonly time: string;
  readonly method: string;
  readonly host: string;
  /** Without the query: it may hold secrets. */
  readonly path: string;
  readonly query?: string;
  readonly cookies?: string;
  /** 499 where the client left before an answer, as nginx logs it. */
  readonly status: number;
  readonly durationMs: number;
  /** Opening a connection to the upstream; absent where one was there, or none was needed. */
  readonly openMs?: number;
  /** From the request sent to the header of the answer. */
  readonly appMs?: number;
  /** Of bodies, and of what follows an upgrade. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly route?: string;
  readonly upstream?: string;
  readonly upgrade?: string;
  /** The code of what went wrong. */
  readonly error?: string;
  /** The answer came to no end: the client left, or the upstream broke. */
  readonly incomplete?: boolean;
  readonly retried?: boolean;
}

export interface RecordOptions {
  /** Off unless asked for. */
  readonly query?: boolean | undefined;
  readonly cookies?: boolean | undefined;
}

export function recordOf(
  request: IncomingMessage,
  response: ServerResponse,
  notes: Notes,
  upgrade: Visit['upgrade'],
  startedMs: number,
  options: RecordOptions,
): AccessRecord {
  const [path = '', ...query] = (request.url ?? '').split('?');
  const { cookie } = request.headers;
  const sent = response.headersSent || notes.error !== undefined;
  return {
    time: new Date().toISOString(),
    method: request.method ?? '',
    host: request.headers.host ?? '',
    path,
    ...(options.query === true && query.length > 0 ? { query: query.join('?') } : {}),
    ...(options.cookies === true && cookie !== undefined ? { cookies: cookie } : {}),
    status: sent ? response.statusCode : 499,
    durationMs: round(performance.now() - startedMs),
    ...(notes.openMs === undefined ? {} : { openMs: round(notes.openMs) }),
    ...(notes.appMs === undefined ? {} : { appMs: round(notes.appMs) }),
    bytesUp: notes.bytesUp,
    bytesDown: notes.bytesDown,
    ...(notes.route === undefined ? {} : { route: notes.route }),
    ...(notes.upstream === undefined ? {} : { upstream: notes.upstream }),
    ...(upgrade === undefined ? {} : { upgrade: upgrade.protocol }),
    ...(notes.error === undefined ? {} : { error: notes.error }),
    ...(upgrade === undefined && !response.writableFinished ? { incomplete: true } : {}),
    ...(notes.retried === true ? { retried: true } : {}),
  };
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
