import type { Duplex } from 'node:stream';
import { ListenError, TunnelError } from '../errors.ts';
import type { Listen } from '../spec.ts';
import type { RemoteListener, SshConnection } from '../ssh/connection.ts';

/** Pauses between tries: after a loss the server may still hold the port for the connection that is gone. */
const FIRST_PAUSE_MS = 1000;
const LAST_PAUSE_MS = 30_000;

/**
 * Something that the server listens on for us, over one connection after the other. A port that the server chose is
 * asked for again. Whoever opened it closes it.
 */
export class LastingListener {
  readonly #listen: Listen;
  readonly #onConnection: (stream: Duplex) => void;
  readonly #onTrouble: (error: TunnelError) => void;
  #bound: Listen;
  #current: RemoteListener | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** `onTrouble` is told of each failure to listen over a later connection. Rejects as `SshConnection.listen` does. */
  static async open(
    connection: SshConnection,
    listen: Listen,
    onConnection: (stream: Duplex) => void,
    onTrouble: (error: TunnelError) => void,
  ): Promise<LastingListener> {
    const first = await connection.listen(listen, onConnection);
    return new LastingListener(listen, first, onConnection, onTrouble);
  }

  private constructor(
    listen: Listen,
    first: RemoteListener,
    onConnection: (stream: Duplex) => void,
    onTrouble: (error: TunnelError) => void,
  ) {
    this.#listen = listen;
    this.#current = first;
    this.#bound = first.bound;
    this.#onConnection = onConnection;
    this.#onTrouble = onTrouble;
  }

  /** What the server listens on, or listened on last. */
  get bound(): Listen {
    return this.#bound;
  }

  /** Asks for the same over a new connection, and again and again where it is refused, as long as that one lives. */
  async renew(connection: SshConnection, pauseMs = FIRST_PAUSE_MS): Promise<void> {
    clearTimeout(this.#timer);
    this.#current = undefined;
    const alive = { current: true };
    void connection.closed.then(() => {
      alive.current = false;
      clearTimeout(this.#timer);
    });
    try {
      await this.#adopt(await connection.listen(this.#bound, this.#onConnection));
    } catch (error) {
      if (!alive.current || this.#closed) return;
      this.#onTrouble(asTrouble(error, this.#listen));
      this.#timer = setTimeout(
        () => void this.renew(connection, Math.min(2 * pauseMs, LAST_PAUSE_MS)),
        pauseMs,
      );
    }
  }

  /** Stops the listening; open streams go on. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#current?.close();
  }

  async #adopt(listener: RemoteListener): Promise<void> {
    if (this.#closed) return await listener.close();
    this.#current = listener;
    this.#bound = listener.bound;
  }
}

function asTrouble(error: unknown, listen: Listen): TunnelError {
  if (error instanceof TunnelError) return error;
  const place = listen.kind === 'unix' ? listen.path : `port ${listen.port}`;
  const why = error instanceof Error ? error.message : String(error);
  return new ListenError('remote-listen-failed', `Cannot listen on ${place} there: ${why}`, { cause: error });
}
