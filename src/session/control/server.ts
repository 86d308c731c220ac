import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { ListenError, NotFoundError, TunnelError, UsageError } from '../../errors.ts';
import type { SessionEvent } from '../events.ts';
import { errorReport, eventReport, forwardReport } from '../report.ts';
import { createServer } from './http.ts';
import type { Leases } from './leases.ts';
import {
  readBody,
  readCancelRequest,
  readForwardsRequest,
  readNothing,
  readStopRequest,
  TooLargeError,
} from './requests.ts';
import type { SessionStatus } from './status.ts';

/** What the control API acts on. */
export interface Controlled {
  readonly leases: Leases;
  status(): SessionStatus;
  /** Fulfils when the session is open; rejects with what it could not be opened for. */
  opened(): Promise<void>;
  /** What a listener that comes now has missed, to begin with; then everything. Returns the function that stops it. */
  follow(listener: (event: SessionEvent) => void): () => void;
  retry(): Promise<void>;
  /** Returns at once. */
  stop(graceMs: number | undefined): void;
}

/** What a client that does not read may lag behind before its event stream is cut off. */
const LAG_BYTES = 1024 * 1024;
/** A client that sends half a request is not waited for. */
const REQUEST_TIMEOUT_MS = 5000;

type Handler = (controlled: Controlled, request: IncomingMessage, response: ServerResponse) => Promise<void>;

const routes: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
  '/v1/status': { GET: async (controlled, _, response) => answer(response, 200, controlled.status()) },
  '/v1/events': { GET: streamEvents },
  '/v1/forwards': { POST: addForwards, DELETE: cancelForwards },
  '/v1/retry': {
    POST: async (controlled, request, response) => {
      readNothing(await readBody(request));
      await controlled.retry();
      answer(response, 200, controlled.status());
    },
  },
  '/v1/stop': {
    POST: async (controlled, request, response) => {
      const { graceMs } = readStopRequest(await readBody(request));
      answer(response, 202, controlled.status());
      controlled.stop(graceMs);
    },
  },
};

/** The control API: HTTP with JSON bodies, described in the README. The caller listens with it and closes it. */
export function controlServer(controlled: () => Controlled): Server {
  const server = createServer(
    {
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => {
      // A client that leaves in the middle is no reason to end.
      request.on('error', () => undefined);
      response.on('error', () => undefined);
      handle(controlled(), request, response).catch((error: unknown) => answerError(response, error));
    },
  );
  return server;
}

async function handle(
  controlled: Controlled,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url?.split('?', 1)[0] ?? '';
  const methods = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (methods === undefined) {
    throw new NotFoundError(
      'no-such-path',
      `There is no ${path}; there are: ${Object.keys(routes).join(', ')}`,
    );
  }
  const method = request.method ?? '';
  const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (handler !== undefined) return await handler(controlled, request, response);
  response.setHeader('Allow', Object.keys(methods).join(', '));
  answer(response, 405, {
    error: {
      code: 'no-such-method',
      message: `${path} takes ${Object.keys(methods).join(' and ')}`,
      hint: [],
    },
  });
}

async function addForwards(
  controlled: Controlled,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { forwards, lease } = readForwardsRequest(await readBody(request));
  const gone = new AbortController();
  // After the answer it changes nothing.
  response.once('close', () => gone.abort(new Error('The client has gone')));
  await controlled.opened();
  const { added, already } = await controlled.leases.add(forwards, lease, gone.signal);
  answer(response, 200, { added: added.map(forwardReport), already: already.map(forwardReport) });
}

async function cancelForwards(
  controlled: Controlled,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { forwards } = readCancelRequest(await readBody(request));
  const cancelled = controlled.leases.cancel(forwards);
  answer(response, 200, { cancelled: cancelled.map(forwardReport) });
}

/** One event a line, for as long as the client stays. Forwards that are added under its lease go when it leaves. */
async function streamEvents(
  controlled: Controlled,
  _: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const lease = controlled.leases.begin();
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson', 'Tunnel-Lease': lease });
  response.flushHeaders();
  const stop = controlled.follow((event) => {
    response.write(`${JSON.stringify(eventReport(event))}\n`);
    if (event.type === 'closed') response.end();
    else if (response.writableLength > LAG_BYTES) response.destroy();
  });
  response.once('close', () => {
    stop();
    controlled.leases.end(lease);
  });
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

function answerError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy();
  if (error instanceof TooLargeError) response.setHeader('Connection', 'close');
  answer(response, statusOf(error), { error: reportOf(error) });
}

function statusOf(error: unknown): number {
  if (error instanceof TooLargeError) return 413;
  if (error instanceof UsageError) return 400;
  if (error instanceof NotFoundError) return 404;
  if (error instanceof ListenError) return 409;
  return error instanceof TunnelError ? 503 : 500;
}

function reportOf(error: unknown): object {
  if (error instanceof TunnelError) return errorReport(error);
  const why = error instanceof Error ? error.message : String(error);
  return { code: 'internal-error', message: `Internal error: ${why}`, hint: [], exitStatus: 1 };
}
