/** What an error of ours carries besides its sentence. */
export interface ErrorDetails {
  /** Lines for the person: what was seen, and what to do next. */
  readonly hint?: readonly string[];
  readonly cause?: unknown;
}

/**
 * Base of every error that is meant for a person: `code` is stable and is what programs compare, `exitStatus`
 * is the process's status when the error ends it, `message` is one sentence, `hint` the next step.
 */
export abstract class TunnelError extends Error {
  abstract readonly exitStatus: number;
  readonly code: string;
  readonly hint: readonly string[];

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.name = new.target.name;
    this.code = code;
    this.hint = details.hint ?? [];
  }
}

/** Wrong command line or wrong configuration: names the word, or the file and key. */
export class UsageError extends TunnelError {
  readonly exitStatus = 2;
}

/** There is no SSH session: resolving, connecting, the host key, authentication. */
export class ConnectError extends TunnelError {
  readonly exitStatus = 255;
}

/** The SSH connection was there and is gone. */
export class ConnectionLostError extends TunnelError {
  readonly exitStatus = 255;
}

/** A local address that cannot be listened on. */
export class ListenError extends TunnelError {
  readonly exitStatus = 1;
}

/** One connection that could not be opened at the far end; nothing else is affected by it. */
export class DialError extends TunnelError {
  readonly exitStatus = 1;
}

/** Something that was named is not there: a session, a forward. */
export class NotFoundError extends TunnelError {
  readonly exitStatus = 1;
}

/** The system's own code (`ENOENT`, `ECONNREFUSED`…) of a Node.js error, if it has one. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : undefined;
}
