import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Endpoint, formatEndpoint } from '../endpoint.ts';
import { relay } from '../forward/relay.ts';
import { reset } from '../forward/reset.ts';
import { headerDown, setFields } from './answer-header.ts';
import type { Decision } from './decide.ts';
import { isHangUp, isWaiting, toUpstreamError } from './failure.ts';
import type { Health } from './health.ts';
import { expand } from './placeholders.ts';
import type { Connection, Pool } from './pool.ts';
import type { Presented } from './presented.ts';
import { headerUp } from './request-header.ts';
import type { ProxyStep } from './rule.ts';
import { type Answer, type Outgoing, sendRequest } from './send-request.ts';
import { hasBody, type Upgrade, type Visit } from './visit.ts';

export interface ForwardContext {
  readonly pool: Pool;
  readonly health: Health;
  readonly presented: Presented | undefined;
  readonly answerTimeoutMs: number;
  /** How an upstream is named in sentences. */
  readonly describe: (endpoint: Endpoint) => string;
}

/**
 * Carries one request to its upstream and the answer back. Rejects while nothing of an answer has been sent; after that, what goes
 * wrong ends the answer visibly broken.
 */
export async function forwardRequest(
  visit: Visit,
  decision: Decision,
  step: ProxyStep,
  context: ForwardContext,
): Promise<void> {
  const prepared = (to: Endpoint): Outgoing => prepare(visit, decision, step, context, to);
  const { answer, stream, endpoint } = await ask(visit, prepared, step, context);
  if (answer.upgraded !== undefined && visit.upgrade === undefined) {
    stream.destroy();
    throw toUpstreamError(new Error('it changed the protocol unasked'), context.describe(endpoint));
  }
  const fields = headerDown(answer.message, {
    hostport: visit.admitted.hostport,
    presented: context.presented,
    down: step.down,
    expand: (text) => expand(text, decision.request),
  });
  setFields(visit.response, fields);
  if (visit.upgrade !== undefined && answer.upgraded !== undefined) {
    return switchOver(visit, visit.upgrade, answer.message, answer.upgraded);
  }
  return deliver(visit, answer, stream, () => context.pool.giveBack(endpoint, stream));
}

function prepare(
  visit: Visit,
  decision: Decision,
  step: ProxyStep,
  context: ForwardContext,
  endpoint: Endpoint,
): Outgoing {
  const { request, response, admitted, notes } = visit;
  const { path, query } = decision.request;
  const sent = {
    ...decision.request,
    upstream: endpoint.kind === 'tcp' ? formatEndpoint(endpoint) : 'localhost',
  };
  const fields = headerUp({
    request,
    hostport: admitted.hostport,
    prefix: decision.prefix,
    presented: context.presented,
    ops: step.up,
    expand: (text) => expand(text, sent),
    upgrade: visit.upgrade?.protocol,
  });
  return {
    method: request.method ?? 'GET',
    path: query === '' ? path : `${path}?${query}`,
    fields,
    body: hasBody(request) ? request : undefined,
    timeoutMs: context.answerTimeoutMs,
    onBody: (bytes) => (notes.bytesUp += bytes),
    onContinue: () => {
      if (!response.headersSent) response.writeContinue();
    },
  };
}

interface Asked {
  readonly answer: Answer;
  readonly stream: Duplex;
  readonly endpoint: Endpoint;
}

/**
 * A request goes out once. Only one that may be repeated goes out again, once and on a new connection: when the
 * connection had been idle, and turns out to be dead before a byte of an answer (RFC 9110, section 9.2.2).
 */
async function ask(
  visit: Visit,
  prepared: (endpoint: Endpoint) => Outgoing,
  step: ProxyStep,
  context: ForwardContext,
): Promise<Asked> {
  const { request } = visit;
  const repeatable = isIdempotent(request.method ?? '') && !hasBody(request) && visit.upgrade === undefined;
  const { endpoint, connection } = await connectFirst(visit, step.upstreams, repeatable, context);
  const outgoing = prepared(endpoint);
  try {
    return { ...(await attempt(visit, outgoing, connection)), endpoint };
  } catch (error) {
    visit.signal.throwIfAborted();
    const again = repeatable && connection.reused && isHangUp(error) && !hasSpoken(connection.stream);
    if (!again) throw toUpstreamError(error, context.describe(endpoint));
    visit.notes.retried = true;
    const fresh = await timed(visit, () => context.pool.dial(endpoint, visit.signal));
    try {
      return { ...(await attempt(visit, outgoing, fresh)), endpoint };
    } catch (error) {
      visit.signal.throwIfAborted();
      throw toUpstreamError(error, context.describe(endpoint));
    }
  }
}

/** The first upstream that can be connected to. Nothing has been sent by then, so that any request may try the next one. */
async function connectFirst(
  visit: Visit,
  upstreams: readonly Endpoint[],
  repeatable: boolean,
  { pool, health, describe }: ForwardContext,
): Promise<{ endpoint: Endpoint; connection: Connection }> {
  let failed: unknown;
  for (const endpoint of health.inOrder(upstreams)) {
    visit.notes.upstream = describe(endpoint);
    try {
      const connection = await timed(visit, () => pool.take(endpoint, repeatable, visit.signal));
      health.worked(endpoint);
      return { endpoint, connection };
    } catch (error) {
      visit.signal.throwIfAborted();
      if (isWaiting(error)) throw error;
      health.failed(endpoint);
      failed ??= error;
    }
  }
  throw failed ?? new Error('there is no upstream');
}

async function timed(visit: Visit, open: () => Promise<Connection>): Promise<Connection> {
  const start = performance.now();
  const connection = await open();
  if (!connection.reused) visit.notes.openMs = performance.now() - start;
  return connection;
}

/** Whether bytes came since the request was sent. */
const spoken = new WeakSet<Duplex>();

function hasSpoken(stream: Duplex): boolean {
  return spoken.has(stream);
}

async function attempt(
  visit: Visit,
  outgoing: Outgoing,
  { stream }: Connection,
): Promise<Omit<Asked, 'endpoint'>> {
  const start = performance.now();
  spoken.delete(stream);
  stream.once('data', () => spoken.add(stream));
  const answer = await sendRequest(stream, outgoing, visit.response, visit.signal);
  visit.notes.appMs = performance.now() - start;
  return { answer, stream };
}

/** RFC 9110, section 9.2.2. */
function isIdempotent(method: string): boolean {
  return ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'].includes(method);
}

/** Resolves when the answer is sent, or cut off because it came to no end. */
function deliver(visit: Visit, { message }: Answer, stream: Duplex, giveBack: () => void): Promise<void> {
  const { response, notes } = visit;
  return new Promise((resolve) => {
    // Nobody reads what an upstream sends that broke before there was a listener.
    if (message.destroyed && !message.complete) cutOff(visit);
    let returned = false;
    response.once('close', () => {
      // An upstream may have answered before it had the whole request, which it will not get any more.
      setImmediate(() => returned || stream.destroy());
      resolve();
    });
    // Emitted by node:http when the answer is complete and the upstream keeps the connection.
    stream.once('free', () => {
      returned = message.complete;
      if (returned) giveBack();
    });
    message.on('error', () => {
      notes.error = 'answer-broken';
      cutOff(visit);
    });
    message.on('data', (chunk: Buffer) => (notes.bytesDown += chunk.length));
    message.once('end', () => response.addTrailers(message.trailers));
    response.sendDate = false;
    response.writeHead(message.statusCode ?? 502, message.statusMessage);
    response.flushHeaders();
    message.pipe(response);
  });
}

/** Ends what has begun so that nobody takes it for complete: not even a client that is told the length by the end. */
export function cutOff({ response, upgrade }: Visit): void {
  const socket = upgrade?.socket ?? response.socket;
  if (socket !== null) reset(socket);
  response.destroy();
}

async function switchOver(
  { response, notes, signal }: Visit,
  upgrade: Upgrade,
  message: IncomingMessage,
  { stream, head }: NonNullable<Answer['upgraded']>,
): Promise<void> {
  const { socket } = upgrade;
  response.sendDate = false;
  response.setHeader('Connection', 'Upgrade');
  response.setHeader('Upgrade', message.headers.upgrade ?? upgrade.protocol);
  response.writeHead(101, message.statusMessage);
  response.flushHeaders();
  response.detachSocket(socket);
  if (head.length > 0) stream.unshift(head);
  socket.on('data', (chunk: Buffer) => (notes.bytesUp += chunk.length));
  stream.on('data', (chunk: Buffer) => (notes.bytesDown += chunk.length));
  const broken = await relay(socket, stream, signal);
  if (broken?.stream === stream) notes.error = 'connection-broken';
}
