import type { Duplex } from 'node:stream';
import type { Client, Channel } from 'ssh2';
import type { HostSettings } from '../../config/settings.ts';
import type { Endpoint, UnixEndpoint } from '../../endpoint.ts';
import { ConnectionLostError, type TunnelError } from '../../errors.ts';
import type { ChannelStream } from './channel-stream.ts';
import { Channels, type Opening } from './channels.ts';
import { ChannelOpenError } from '../channel-open-error.ts';
import type { Listen } from '../../spec.ts';
import type { CommandResult, RemoteListener, SshConnection } from '../connection.ts';
import { run } from './exec.ts';
import { answersPing } from './keepalive.ts';
import { absolutePath, findHome } from '../remote-home.ts';
import { homeFromSftp } from './sftp-home.ts';
import { RemoteListeners } from './remote-listener.ts';
import type { Transport } from './transport.ts';

/** How long the far end may take to answer our goodbye. */
const CLOSE_TIMEOUT_MS = 2000;

/** An SSH connection carried by ssh2. */
export class Ssh2Connection implements SshConnection {
  readonly settings: HostSettings;
  readonly address: string;
  readonly closed: Promise<TunnelError | undefined>;
  readonly #client: Client;
  readonly #socket: Duplex;
  readonly #channels: Channels;
  readonly #listeners: RemoteListeners;
  #closing = false;
  #lost: TunnelError | undefined;
  #home: Promise<string> | undefined;

  /** `client` is ready, and runs over `transport`. */
  constructor(client: Client, transport: Transport, settings: HostSettings) {
    const { stream: socket, memory, address } = transport;
    this.settings = settings;
    this.address = address;
    this.#client = client;
    this.#socket = socket;
    this.#channels = new Channels(client, socket, memory);
    this.#listeners = new RemoteListeners(client, this.#channels, settings.alias);
    client.on('error', (error: Error & { level?: string }) => {
      if (error.level !== 'agent') this.#lost ??= lostBecause(settings, error);
    });
    // A server that half-closes is gone, too; a net.Socket ends by itself then, a channel of a jump host does not.
    socket.once('end', () => socket.destroy());
    this.closed = new Promise((resolve) => {
      client.once('close', () => {
        this.#channels.abandon(this.#reason());
        resolve(this.#closing ? undefined : this.#reason());
      });
    });
  }

  async dial(endpoint: Endpoint, signal?: AbortSignal): Promise<Duplex> {
    return await this.#open(endpoint.kind === 'unix' ? await this.#resolve(endpoint.path) : endpoint, signal);
  }

  async listen(listen: Listen, onConnection: (stream: Duplex) => void): Promise<RemoteListener> {
    this.#assertAlive();
    const place = listen.kind === 'unix' ? await this.#resolve(listen.path) : listen;
    return await this.#listeners.open(place, onConnection);
  }

  async exec(command: string, timeoutMs = 10_000): Promise<CommandResult> {
    this.#assertAlive();
    return await run(this.#client, command, timeoutMs);
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#client.end();
    const timer = setTimeout(() => this.#client.destroy(), CLOSE_TIMEOUT_MS);
    await this.closed;
    clearTimeout(timer);
  }

  async probe(timeoutMs: number): Promise<boolean> {
    return await answersPing(this.#client, this.#socket, timeoutMs);
  }

  abandon(reason: TunnelError): void {
    this.#lost ??= reason;
    this.#client.destroy();
  }

  async #resolve(path: string): Promise<UnixEndpoint> {
    return { kind: 'unix', path: await absolutePath(path, () => this.#findHome()) };
  }

  /** Asked for once, and only if a path needs it. */
  #findHome(): Promise<string> {
    this.#home ??= findHome(this, () => homeFromSftp(this.#client)).catch((error: unknown) => {
      this.#home = undefined;
      throw error;
    });
    return this.#home;
  }

  #open(endpoint: Endpoint, signal: AbortSignal | undefined): Promise<ChannelStream> {
    signal?.throwIfAborted();
    this.#assertAlive();
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(signal?.reason as Error);
      signal?.addEventListener('abort', abort, { once: true });
      let hasFailed = false;
      const opened = (error: (Error & { reason?: number }) | undefined, channel: Channel): void => {
        signal?.removeEventListener('abort', abort);
        if (error !== undefined || signal?.aborted) {
          hasFailed = true;
          opening?.failed();
          if (error === undefined) channel.close();
          else reject(this.#openError(endpoint, error));
        }
        // At once: data may be in the very packet that follows.
        else if (opening !== undefined) resolve(opening.opened(channel));
      };
      let opening: Opening | undefined;
      opening = this.#channels.open(() => {
        if (endpoint.kind === 'unix') this.#client.openssh_forwardOutStreamLocal(endpoint.path, opened);
        // The originator is what sshd logs; it does not check it (RFC 4254, section 7.2).
        else this.#client.forwardOut('127.0.0.1', 0, endpoint.host, endpoint.port, opened);
      });
      // ssh2 has no number left for another channel, and has said so at once.
      if (hasFailed) opening.failed();
    });
  }

  #openError(endpoint: Endpoint, error: Error & { reason?: number }): TunnelError {
    return error.reason === undefined ? this.#reason() : new ChannelOpenError(endpoint, error.reason, error);
  }

  #assertAlive(): void {
    if (this.#lost !== undefined || this.#closing) throw this.#reason();
  }

  #reason(): TunnelError {
    return (this.#lost ??= lostBecause(this.settings, undefined));
  }
}

function lostBecause(settings: HostSettings, cause: Error | undefined): ConnectionLostError {
  const why = cause === undefined ? 'it was closed by the other side' : cause.message;
  return new ConnectionLostError('connection-lost', `The connection to ${settings.alias} is lost: ${why}`, {
    cause,
  });
}
