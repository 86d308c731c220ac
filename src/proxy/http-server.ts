import { createServer, type IncomingMessage, type Server, ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { systemCode } from '../errors.ts';
import { maxHeaderBytes } from './send-request.ts';

/** What the server does with what its parser lets through. */
export interface HttpHandlers {
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  readonly onUpgrade: (request: IncomingMessage, response: ServerResponse, socket: Socket) => void;
  /** What the parser refused; it has been answered. */
  readonly onRefused: (status: number, code: string) => void;
}

export interface Patience {
  /** Within which a header must be complete. */
  readonly headerMs: number;
  /** How long a client may neither send what it has announced nor take what is sent to it. */
  readonly stallMs: number;
  /** How long a connection is kept between two requests. */
  readonly idleMs: number;
}

/**
 * An HTTP server without a listener: connections are given to it with `emit('connection')`, as Node.js documents. Its strict parser
 * refuses obs-fold, bare CR, bad lengths, and a header that is too long.
 */
export function makeHttpServer(handlers: HttpHandlers, patience: Patience): Server {
  const server = createServer({
    insecureHTTPParser: false,
    requireHostHeader: true,
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: patience.headerMs,
    // A body may take as long as it takes; one that stands still is another matter.
    requestTimeout: 0,
    keepAliveTimeout: patience.idleMs,
    connectionsCheckingInterval: Math.min(5_000, patience.headerMs),
  });
  // What is over the limit would be dropped silently; the size of the whole header bounds it.
  server.maxHeadersCount = 0;
  const busy = new Busy();
  const begin = (request: IncomingMessage, response: ServerResponse): void => {
    const earlier = busy.of(request.socket);
    busy.with(request.socket, response);
    // node:http would serve what is pipelined side by side; only safe requests may be (RFC 9112, section 9.3.2).
    if (earlier === undefined) handlers.onRequest(request, response);
    else earlier.once('close', () => request.socket.destroyed || handlers.onRequest(request, response));
  };
  server.setTimeout(patience.stallMs, (socket) => endStalled(socket, busy.of(socket), patience.stallMs));
  server.on('request', begin);
  server.on('checkContinue', begin);
  server.on('checkExpectation', (_, response) => {
    response.writeHead(417, { 'Content-Length': 0 }).end();
    handlers.onRefused(417, 'expectation-unknown');
  });
  server.on('upgrade', (request, socket, head) => {
    // At once: a socket that holds nothing may end before anybody reads it.
    if (head.length > 0) socket.unshift(head);
    handlers.onUpgrade(request, responseOver(request, socket as Socket), socket as Socket);
  });
  server.on('connect', (_, socket) => {
    socket.on('error', () => {});
    socket.end(plainAnswer(405, 'CONNECT is not for this kind of proxy'));
    handlers.onRefused(405, 'connect-refused');
  });
  server.on('clientError', (error, socket) => refuse(error, socket as Socket, busy, handlers));
  // It watches over headers that do not come only after it has begun to listen.
  server.emit('listening');
  return server;
}

/** The answer that is on its way on each connection. */
class Busy {
  readonly #responses = new WeakMap<Socket, ServerResponse>();

  with(socket: Socket, response: ServerResponse): void {
    this.#responses.set(socket, response);
    response.once('close', () => {
      if (this.of(socket) === response) this.#responses.delete(socket);
    });
  }

  of(socket: Socket): ServerResponse | undefined {
    return this.#responses.get(socket);
  }
}

/** node:http hands the socket over with an upgrade, and an answer that refuses it needs a response as any other. */
function responseOver(request: IncomingMessage, socket: Socket): ServerResponse {
  socket.on('error', () => {});
  // Whoever speaks another protocol may be silent for as long as it likes.
  socket.setTimeout(0);
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once('finish', () => socket.destroySoon());
  return response;
}

/** Who waits for the other side is not to blame: only bytes that the client owes, or does not take, are. */
function endStalled(socket: Socket, response: ServerResponse | undefined, stallMs: number): void {
  // A body that is not being read is waited for by nobody: its upstream takes its time.
  const owes = response !== undefined && !response.req.complete && response.req.readableFlowing === true;
  if (!owes && socket.writableLength === 0) {
    // Between requests keepAliveTimeout rules, and it is the same timer.
    if (response === undefined) socket.destroy();
    else socket.setTimeout(stallMs);
    return;
  }
  if (owes && !response.headersSent)
    socket.end(plainAnswer(408, 'The request did not come to its end in time'));
  socket.destroy();
}

function refuse(error: Error, socket: Socket, busy: Busy, handlers: HttpHandlers): void {
  const code = systemCode(error) ?? '';
  if (!socket.writable || code === 'ECONNRESET' || busy.of(socket) !== undefined) {
    // An answer is on its way to an earlier request, and this must not be taken for a part of it.
    socket.destroy();
    return;
  }
  const status = statusOf(code);
  socket.end(plainAnswer(status, `${STATUS_CODES[status] ?? ''}: ${error.message}`), () => socket.destroy());
  handlers.onRefused(status, code);
}

function statusOf(code: string): number {
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
}

export function plainAnswer(status: number, text: string): string {
  const body = `${status} ${text}\n`;
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
