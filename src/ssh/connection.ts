import type { Duplex } from 'node:stream';
import type { HostSettings } from '../config/settings.ts';
import type { Endpoint } from '../endpoint.ts';
import type { TunnelError } from '../errors.ts';
import type { Listen } from '../spec.ts';

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Undefined if a signal ended it, or if the server does not say. */
  readonly status: number | undefined;
}

/** Something that the server listens on for us. */
export interface RemoteListener {
  /** What the server listens on, with the port that it chose. */
  readonly bound: Listen;
  /** Stops the listening; open streams go on. */
  close(): Promise<void>;
}

/** One authenticated SSH connection, whatever carries it. Whoever opened it closes it. */
export interface SshConnection {
  readonly settings: HostSettings;
  /** The address that was reached, for people. */
  readonly address: string;
  /** Settles when the connection is gone: with the reason, or undefined after `close`. */
  readonly closed: Promise<TunnelError | undefined>;
  /**
   * A `Dialer`, except that a refusal is a `ChannelOpenError`: what the server said, to be explained by others.
   * A name is resolved there; `~` and relative paths are from the home there.
   */
  dial(endpoint: Endpoint, signal?: AbortSignal): Promise<Duplex>;
  /**
   * Asks the server to listen (RFC 4254, section 7.1; OpenSSH PROTOCOL, section 2.4). Streams given to `onConnection`
   * belong to the receiver. Throws a `ListenError`.
   */
  listen(listen: Listen, onConnection: (stream: Duplex) => void): Promise<RemoteListener>;
  /** Runs a command there. Rejects when it cannot be run at all, or after `timeoutMs` (default 10 s). */
  exec(command: string, timeoutMs?: number): Promise<CommandResult>;
  /**
   * Whether the server gives a sign of life within `timeoutMs`. Costs one round trip, and is asked of a connection
   * whose fate is uncertain.
   */
  probe(timeoutMs: number): Promise<boolean>;
  /** Drops the connection without a goodbye, because `reason` says that nobody hears it. */
  abandon(reason: TunnelError): void;
  /** Ends the connection; its streams break. Resolves when it is gone. */
  close(): Promise<void>;
}
