import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Admitted } from './guard.ts';

/** What a client asks to speak after HTTP. */
export interface Upgrade {
  readonly protocol: string;
  readonly socket: Socket;
}

/** One request that is being served. */
export interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly admitted: Admitted;
  readonly upgrade: Upgrade | undefined;
  /** Aborted when the client has left, or the proxy is closed. */
  readonly signal: AbortSignal;
  readonly notes: Notes;
}

/** What is learned on the way, for the log. */
export interface Notes {
  route?: string;
  upstream?: string;
  /** Opening the connection; undefined where one was there. */
  openMs?: number;
  /** From the request sent to the answer's header. */
  appMs?: number;
  /** Of the request's body and what follows an upgrade. */
  bytesUp: number;
  bytesDown: number;
  /** The code of what went wrong. */
  error?: string;
  retried?: boolean;
}

/** Whether a body follows the header. */
export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) > 0);
}
