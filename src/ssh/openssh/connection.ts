import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { HostSettings } from '../../config/settings.ts';
import type { Endpoint } from '../../endpoint.ts';
import { ConnectionLostError, type TunnelError } from '../../errors.ts';
import type { Listen } from '../../spec.ts';
import { ChannelOpenError } from '../channel-open-error.ts';
import type { CommandResult, RemoteListener, SshConnection } from '../connection.ts';
import { absolutePath, findHome } from '../remote-home.ts';
import { run } from './exec.ts';
import { ForwardedStream } from './forwarded-stream.ts';
import { LocalForwards } from './local-forwards.ts';
import type { Master } from './master.ts';
import { openSocket } from './open-socket.ts';
import type { PrivateDir } from './private-dir.ts';
import { homeFromSftp } from './sftp-home.ts';
import { listenRemotely } from './remote-listener.ts';

/** Port 1 of loopback: refused by whoever is there to refuse. */
const NOWHERE: Endpoint = { kind: 'tcp', host: '127.0.0.1', port: 1 };

/** RFC 4254, section 5.1: SSH_OPEN_CONNECT_FAILED. */
const CONNECT_FAILED = 2;

/**
 * An SSH connection carried by an ssh of the system.
 *
 * A dial connects to a private socket that the master forwards. With a master of our own it settles when the server has
 * answered. The person's own master does not tell us what the server answers: there a dial succeeds at once, and it is
 * the stream that fails with the `ChannelOpenError`, for whose reason only "connect failed" can be given.
 */
export class OpensshConnection implements SshConnection {
  readonly settings: HostSettings;
  readonly address: string;
  readonly closed: Promise<TunnelError | undefined>;
  readonly #master: Master;
  readonly #dir: PrivateDir;
  readonly #forwards: LocalForwards;
  readonly #listeners = new Set<RemoteListener>();
  readonly #streams = new Set<ForwardedStream>();
  readonly #lost: Promise<TunnelError>;
  #abandonedBecause: TunnelError | undefined;
  #closing = false;
  #names = 0;
  #home: Promise<string> | undefined;

  /** Takes ownership of `dir`, and of the master if it is ours. */
  constructor(master: Master, dir: PrivateDir, settings: HostSettings) {
    this.settings = settings;
    this.address = master.address;
    this.#master = master;
    this.#dir = dir;
    this.#forwards = new LocalForwards(master.mux, dir);
    this.#lost = master.gone.then(
      (why) => this.#abandonedBecause ?? lostBecause(settings, this.#closing ? 'it was closed' : why),
    );
    this.closed = this.#lost.then((error) => this.#abandon(error));
  }

  async dial(endpoint: Endpoint, signal?: AbortSignal): Promise<Duplex> {
    signal?.throwIfAborted();
    const target =
      endpoint.kind === 'unix' ? { ...endpoint, path: await this.#resolve(endpoint.path) } : endpoint;
    const socket = await this.#orLost(() =>
      this.#forwards.use(target, (path) => this.#open(path, target, signal)),
    );
    return this.#stream(socket, this.#isShared ? unexplained(target) : undefined);
  }

  async listen(listen: Listen, onConnection: (stream: Duplex) => void): Promise<RemoteListener> {
    const place = listen.kind === 'unix' ? { ...listen, path: await this.#resolve(listen.path) } : listen;
    const listener = await this.#orLost(() =>
      listenRemotely({
        mux: this.#master.mux,
        alias: this.settings.alias,
        listen: place,
        socketPath: this.#newPath('r'),
        onSocket: (socket) => onConnection(this.#stream(socket)),
      }),
    );
    this.#listeners.add(listener);
    return {
      bound: listener.bound,
      close: async () => {
        this.#listeners.delete(listener);
        await listener.close();
      },
    };
  }

  async exec(command: string, timeoutMs = 10_000): Promise<CommandResult> {
    const { controlPath } = this.#master;
    const { alias } = this.settings;
    return await this.#orLost(() =>
      run({ controlPath, alias, command, timeoutMs, logFile: this.#newPath('e') }),
    );
  }

  async close(): Promise<void> {
    this.#closing = true;
    if (this.#isShared) await Promise.all([this.#forwards.close(), this.#closeListeners()]);
    this.#master.end();
    await this.closed;
  }

  /** The person's own master is its own to judge: it does not tell us what became of a channel. */
  async probe(timeoutMs: number): Promise<boolean> {
    if (this.#isShared) return true;
    const limit = AbortSignal.timeout(timeoutMs);
    try {
      (await this.dial(NOWHERE, limit)).destroy();
    } catch (error) {
      // A refusal is an answer.
      return error instanceof ChannelOpenError;
    }
    return true;
  }

  abandon(reason: TunnelError): void {
    this.#abandonedBecause ??= reason;
    this.#master.end();
  }

  /** The master is the person's own: it tells its own terminal what the server refused, and it goes on after us. */
  get #isShared(): boolean {
    return this.#master.outcomes === undefined;
  }

  async #open(path: string, target: Endpoint, signal: AbortSignal | undefined): Promise<Socket> {
    const socket = await openSocket(path, target, this.#master.outcomes, signal);
    // A master that has answered to this has accepted the connection, and may be told to listen no longer.
    if (!this.#isShared || (await this.#master.mux.isAlive())) return socket;
    socket.destroy();
    throw await this.#lost;
  }

  #stream(socket: Socket, refusal?: ChannelOpenError): ForwardedStream {
    const stream = new ForwardedStream(socket, () => this.#master.mux.isAlive(), refusal);
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
    return stream;
  }

  #resolve(path: string): Promise<string> {
    return absolutePath(path, () => this.#findHome());
  }

  /** Asked for once, and only if a path needs it. */
  #findHome(): Promise<string> {
    this.#home ??= findHome(this, () => homeFromSftp(this.#master.controlPath, this.settings.alias)).catch(
      (error: unknown) => {
        this.#home = undefined;
        throw error;
      },
    );
    return this.#home;
  }

  #newPath(kind: 'r' | 'e'): string {
    this.#names += 1;
    return this.#dir.join(`${kind}${this.#names}`);
  }

  /** What fails because the master is gone fails with the reason for that. */
  async #orLost<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ChannelOpenError || error instanceof ConnectionLostError) throw error;
      if (!(await this.#master.mux.isAlive())) throw await this.#lost;
      throw error;
    }
  }

  /** What breaks off here must not look complete. */
  async #abandon(error: TunnelError): Promise<TunnelError | undefined> {
    this.#master.outcomes?.abandon(error);
    for (const stream of this.#streams) stream.destroy(error);
    this.#master.mux.destroy();
    await this.#closeListeners();
    await this.#dir.remove();
    return this.#closing ? undefined : error;
  }

  async #closeListeners(): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => listener.close()));
  }
}

function unexplained(endpoint: Endpoint): ChannelOpenError {
  return new ChannelOpenError(
    endpoint,
    CONNECT_FAILED,
    new Error('the connection was closed before a byte came'),
  );
}

function lostBecause(settings: HostSettings, why: string): ConnectionLostError {
  const code = /not responding/.test(why) ? 'no-answer' : 'connection-lost';
  return new ConnectionLostError(code, `The connection to ${settings.alias} is lost: ${why}`);
}
