import { EventEmitter } from 'node:events';
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { type Duplex, Readable } from 'node:stream';
import httpProxy from 'http-proxy';
import { UpstreamError } from './failure.ts';
import { type Field, toObject } from './header-fields.ts';

/** A request to an upstream, made ready once. */
export interface Outgoing {
  readonly method: string;
  readonly path: string;
  readonly fields: readonly Field[];
  /** Undefined where no body follows. */
  readonly body: IncomingMessage | undefined;
  /** How long the upstream may be silent before its answer. */
  readonly timeoutMs: number;
  readonly onBody: (bytes: number) => void;
  readonly onContinue: () => void;
}

/** The header of an answer, with the body to be read from it; or the other protocol's stream. */
export interface Answer {
  readonly message: IncomingMessage;
  readonly upgraded?: { readonly stream: Duplex; readonly head: Buffer };
}

/** The largest header of an answer, as of a request. */
export const maxHeaderBytes = 64 * 1024;

/**
 * http-proxy under its own name is http-proxy-3, the fork that is maintained: 1.18 never ends its request to the upstream
 * when a client leaves. It carries the body and ends the one when the other ends; headers and answers are
 * ours. `toProxy` and no `prependPath` keep it from rewriting the path, which was matched against the routes as it is.
 */
const forwarder = httpProxy.createProxyServer({
  selfHandleResponse: true,
  toProxy: true,
  prependPath: false,
});
const target = { host: 'upstream', port: 80, protocol: 'http:' };

/**
 * Sends a request over a connection that is open, and resolves with the answer's header. Rejects with what came instead: an
 * error of the connection or of the parser, or an `UpstreamError` (`answer-timeout`).
 */
export function sendRequest(
  stream: Duplex,
  outgoing: Outgoing,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      act();
    };
    const fail = (error: Error): void => {
      stream.destroy();
      settle(() => reject(error));
    };
    const giveUp = (): void => fail(signal.reason as Error);
    const timer = setTimeout(() => fail(tooLate(outgoing.timeoutMs)), outgoing.timeoutMs);
    signal.addEventListener('abort', giveUp, { once: true });

    const begin = (request: ClientRequest): void => {
      request.once('response', (message) => settle(() => resolve({ message })));
      request.once('upgrade', (message, upgradedStream, head) =>
        settle(() => resolve({ message, upgraded: { stream: upgradedStream, head } })),
      );
      request.on('continue', outgoing.onContinue);
      // The upstream may answer, or refuse, before a byte of the body is there.
      if (outgoing.body !== undefined) request.flushHeaders();
      outgoing.body?.on('data', (chunk: Buffer) => {
        outgoing.onBody(chunk.length);
        timer.refresh();
      });
      // Before pipe() ends the request.
      outgoing.body?.once('end', () => request.addTrailers(trailersOf(outgoing.body)));
    };
    const options = {
      target,
      agent: lending(stream, begin),
      // Given here and not in the message: it makes a DELETE with a chunked body one with `Content-Length: 0`.
      method: outgoing.method,
      buffer: outgoing.body ?? Readable.from([]),
      ssl: { maxHeaderSize: maxHeaderBytes },
    };
    try {
      forwarder.web(asMessage(outgoing), response, options, fail);
    } catch (error) {
      fail(error as Error);
    }
  });
}

/** What http-proxy reads of a request; the body comes by itself. */
function asMessage({ path, fields, body }: Outgoing): IncomingMessage {
  const message = { url: path, headers: toObject(fields), httpVersionMajor: 1, socket: body?.socket ?? {} };
  return Object.assign(new EventEmitter(), message) as unknown as IncomingMessage;
}

/** For node:http an agent is what gives a request its connection. */
function lending(stream: Duplex, begin: (request: ClientRequest) => void): object {
  return {
    keepAlive: true,
    maxSockets: Infinity,
    protocol: 'http:',
    defaultPort: 80,
    addRequest(request: ClientRequest) {
      begin(request);
      request.onSocket(stream as Parameters<ClientRequest['onSocket']>[0]);
    },
  };
}

function trailersOf(body: IncomingMessage | undefined): NodeJS.Dict<string> {
  return body?.trailers ?? {};
}

function tooLate(timeoutMs: number): UpstreamError {
  const seconds = Math.round(timeoutMs / 1000);
  return new UpstreamError('answer-timeout', `The upstream has not answered within ${seconds} s`);
}
