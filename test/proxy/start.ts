import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { Dialer, Endpoint } from '../../src/endpoint.ts';
import type { AccessRecord } from '../../src/proxy/access-record.ts';
import { compileRoutes } from '../../src/proxy/compile-routes.ts';
import { openProxy, type Proxy, type ProxyOptions } from '../../src/proxy/open-proxy.ts';
import { parseRoute } from '../../src/proxy/route.ts';
import { dialLocal } from '../../src/forward/local-dialer.ts';
import { readAll } from '../forward/streams.ts';

/** A proxy that is open until the test ends, with what it logged. */
export interface Started {
  readonly proxy: Proxy;
  readonly port: number;
  readonly records: AccessRecord[];
}

export type StartOptions = Partial<Omit<ProxyOptions, 'rules'>> & {
  readonly routes?: readonly string[];
  readonly rules?: ProxyOptions['rules'];
};

/** Opens a proxy on a port of its own, over a dialer to this machine. */
export async function start(t: TestContext, options: StartOptions): Promise<Started> {
  const { routes = [], ...given } = options;
  const records: AccessRecord[] = [];
  const proxy = await openProxy({
    listen: { kind: 'tcp', port: 'auto' },
    rules: compileRoutes(routes.map(parseRoute)),
    dial: dialLocal,
    remoteName: randomUUID(),
    onRequest: (record) => records.push(record),
    ...given,
  });
  t.after(() => proxy.close());
  const [bound] = proxy.bound;
  return { proxy, port: bound?.kind === 'tcp' ? bound.port : 0, records };
}

/** An upstream that speaks HTTP, with what it was asked. */
export interface Upstream {
  readonly server: Server;
  readonly port: number;
  readonly requests: IncomingMessage[];
  readonly sockets: Set<Socket>;
  /** Connections since the start. */
  readonly total: number;
}

export async function startUpstream(t: TestContext, listener: RequestListener): Promise<Upstream> {
  const requests: IncomingMessage[] = [];
  const sockets = new Set<Socket>();
  let total = 0;
  const server = createServer((request, response) => {
    requests.push(request);
    listener(request, response);
  });
  server.on('connection', (socket: Socket) => {
    total++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return {
    server,
    port,
    requests,
    sockets,
    get total() {
      return total;
    },
  };
}

/** An upstream that is given the raw connection. */
export async function startRawUpstream(
  t: TestContext,
  behaviour: (socket: Socket) => void,
): Promise<{ readonly port: number; readonly sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    behaviour(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, sockets };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly trailers: NodeJS.Dict<string>;
  readonly body: string;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer;
}

/** One request on a connection of its own, with its path sent as it is written. */
export async function ask(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: Ask = {},
): Promise<Answer> {
  const request = httpRequest({
    host: '127.0.0.1',
    port,
    path,
    method,
    headers: { Host: `localhost:${port}`, ...headers },
    agent: false,
  });
  // Of a broken answer the response tells.
  request.on('error', () => {});
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const text = String(await readAll(response));
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    rawHeaders: response.rawHeaders,
    trailers: response.trailers,
    body: text,
  };
}

/** Sends bytes as they are, and gives everything that comes until the connection is closed. */
export async function sendRaw(port: number, bytes: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  socket.write(bytes, 'latin1');
  await once(socket, 'end').catch(() => undefined);
  socket.destroy();
  return Buffer.concat(chunks).toString('latin1');
}

/** A dialer that always fails in the same way. */
export function dialFails(failure: Error): Dialer {
  return async () => {
    throw failure;
  };
}

export function portOf(endpoint: Endpoint): number {
  return endpoint.kind === 'tcp' ? endpoint.port : 0;
}
