import { chosenForwards, isOn, socketMode } from '../config/forwards.ts';
import type { Destination, HostSettings, SshFlags } from '../config/settings.ts';
import { resolveSettings } from '../config/ssh-config.ts';
import type { Dialer } from '../endpoint.ts';
import { ConnectError, ConnectionLostError, ListenError, UsageError, type TunnelError } from '../errors.ts';
import type { Forward, ForwardHooks } from '../forward/forward.ts';
import { openLocalForward } from '../forward/local.ts';
import { openRemoteForward } from '../forward/remote.ts';
import type { ForwardSpec, RemoteSpec } from '../spec.ts';
import { connect } from '../ssh/connect.ts';
import type { SshConnection } from '../ssh/connection.ts';
import type { Ask, SshContext } from '../ssh/context.ts';
import type { TransportName } from '../ssh/transport-name.ts';
import { explainedDialer, permittedDialer } from './dialer.ts';
import { exposure } from './exposure.ts';
import type { SessionEvent } from './events.ts';

export interface SessionOptions {
  readonly destination: Destination;
  readonly flags?: SshFlags;
  /** Absent: what the host's LocalForward, RemoteForward and DynamicForward lines say. */
  readonly forwards?: readonly ForwardSpec[];
  /** Absent: nobody can be asked, so what would need an answer is refused. */
  readonly ask?: Ask;
  readonly onEvent?: (event: SessionEvent) => void;
  /** Gives up opening; a session that is open is ended by `close`. */
  readonly signal?: AbortSignal;
  /** Default `auto`. */
  readonly transport?: TransportName;
  /** Adds the messages of the SSH protocol to the `debug` events. */
  readonly trace?: boolean;
}

/** Connections, and bytes since the session opened: `up` to the remote, `down` from it. */
export interface Traffic {
  readonly open: number;
  readonly total: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/**
 * Connects, and opens every forward or none. Listeners here are bound while the network is waited for; what they accept
 * waits until the connection is there. Throws `ConnectError`, `ListenError`, `UsageError`, or the reason of `signal`.
 * The caller closes the session.
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const emit = options.onEvent ?? ((): void => undefined);
  const flags = options.flags ?? {};
  const giveUp = new AbortController();
  const signal =
    options.signal === undefined ? giveUp.signal : AbortSignal.any([options.signal, giveUp.signal]);
  const settings = await resolveSettings(options.destination, flags, { signal });
  const forwards = chosenForwards(settings, options.forwards);
  if (forwards.length === 0 && !isOn(settings, 'clearallforwardings'))
    throw nothingToOpen(options.destination);
  for (const message of settings.warnings) emit({ type: 'warning', message });
  const context = contextFor(options, emit, signal);
  const connecting = connect(settings, flags, context, options.transport ?? 'auto');
  const session = new Session(settings, connecting, emit);
  // As in ssh, a line of the configuration that fails is a warning; what was typed is opened or there is no session.
  const mayFail = options.forwards === undefined && !isOn(settings, 'exitonforwardfailure');
  const opening = session.openAll(forwards, mayFail);
  try {
    const [connection] = await Promise.race([Promise.all([connecting, opening]), aborted(signal)]);
    emit({ type: 'ready', host: settings.alias, user: settings.user, address: connection.address });
    for (const forward of session.forwards) session.announce(forward);
    return session;
  } catch (error) {
    giveUp.abort(error);
    // What is still being opened fails with the connection, or is closed as soon as it is open.
    await session.close();
    await opening.catch(() => undefined);
    throw isOn(settings, 'exitonforwardfailure') ? asNoSession(error) : error;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

/** With ExitOnForwardFailure a forward that fails is as bad as no session, also in the exit status, as for ssh. */
function asNoSession(error: unknown): unknown {
  if (!(error instanceof ListenError)) return error;
  return new ConnectError(error.code, error.message, { hint: error.hint, cause: error.cause });
}

function nothingToOpen({ host }: Destination): UsageError {
  return new UsageError('nothing-to-open', `Nothing to open on ${host}: no port and no socket is named`, {
    hint: [
      `Name what to open: tunnel ${host} 8081, or tunnel ${host} ~/app/app.sock`,
      'LocalForward, RemoteForward and DynamicForward lines in ~/.ssh/config are opened, too.',
    ],
  });
}

/** Our life with one host: an SSH connection and the forwards over it. */
export class Session {
  /** The name as the person wrote it. */
  readonly host: string;
  /** Settles when the session has ended: with the error that ended it, or undefined after `close`. */
  readonly closed: Promise<TunnelError | undefined>;
  readonly #settings: HostSettings;
  readonly #connecting: Promise<SshConnection>;
  readonly #dial: Dialer;
  readonly #emit: (event: SessionEvent) => void;
  readonly #forwards: Forward[] = [];
  #ended = false;

  constructor(
    settings: HostSettings,
    connecting: Promise<SshConnection>,
    emit: (event: SessionEvent) => void,
  ) {
    this.host = settings.alias;
    this.#settings = settings;
    this.#connecting = connecting;
    this.#emit = emit;
    const dialer = connecting.then(explainedDialer);
    // Whoever dials is told; there may be nobody.
    dialer.catch(() => undefined);
    this.#dial = async (endpoint, signal) => await (await dialer)(endpoint, signal);
    this.closed = this.#end();
  }

  get forwards(): readonly Forward[] {
    return this.#forwards;
  }

  traffic(): Traffic {
    const sum = { open: 0, total: 0, bytesUp: 0, bytesDown: 0 };
    for (const forward of this.#forwards) {
      sum.open += forward.open;
      sum.total += forward.total;
      sum.bytesUp += forward.bytesUp;
      sum.bytesDown += forward.bytesDown;
    }
    return sum;
  }

  /** Adds a forward over the same connection. Throws a `ListenError`, or the error that ended the session. */
  async forward(spec: ForwardSpec): Promise<Forward> {
    const forward = await this.#open(spec);
    this.announce(forward);
    return forward;
  }

  /** Opens every forward, in silence. What is open when one of them fails stays until `close`. */
  async openAll(specs: readonly ForwardSpec[], mayFail: boolean): Promise<void> {
    // An `auto` port must not take one that is asked for, and those there must wait for the connection.
    for (const spec of specs.toSorted((a, b) => rank(a) - rank(b))) {
      try {
        await this.#open(spec);
      } catch (error) {
        if (!mayFail || !(error instanceof ListenError)) throw error;
        this.#emit({ type: 'warning', message: [error.message, ...error.hint].join(' ') });
      }
    }
    this.#forwards.sort((a, b) => specs.indexOf(a.spec) - specs.indexOf(b.spec));
  }

  /** Tells of a forward that is open, and of who else can reach it. */
  announce(forward: Forward): void {
    this.#emit({ type: 'forward', forward });
    const message = exposure(forward, this.host);
    if (message !== undefined) this.#emit({ type: 'warning', message });
  }

  /**
   * Stops listening at once, lets open connections finish for up to `graceMs` (default 0), then ends the SSH
   * connection. Called again with a shorter time, it shortens it.
   */
  async close(options: { graceMs?: number } = {}): Promise<void> {
    this.#ended = true;
    await this.#closeForwards(options);
    const connection = await this.#connecting.catch(() => undefined);
    await connection?.close();
    await this.closed;
  }

  async #open(spec: ForwardSpec): Promise<Forward> {
    this.#assertNotEnded();
    const forward = await this.#listen(spec);
    this.#forwards.push(forward);
    if (this.#ended) await forward.close();
    this.#assertNotEnded();
    return forward;
  }

  async #listen(spec: ForwardSpec): Promise<Forward> {
    let forward: Forward | undefined;
    const about = (tell: (forward: Forward) => SessionEvent): void => {
      if (forward !== undefined) this.#emit(tell(forward));
    };
    const hooks: ForwardHooks = {
      onConnection: (state) => about((forward) => ({ type: 'connection', forward, state })),
      onError: (error) => about((forward) => ({ type: 'error', forward, error })),
    };
    forward =
      spec.kind === 'remote'
        ? await this.#openRemote(spec, hooks)
        : await openLocalForward({
            spec,
            dial: this.#dial,
            remoteName: this.host,
            socketMode: socketMode(this.#settings),
            ...hooks,
          });
    return forward;
  }

  #assertNotEnded(): void {
    if (this.#ended)
      throw new ConnectionLostError('session-ended', `The session with ${this.host} has ended`);
  }

  async #openRemote(spec: RemoteSpec, hooks: ForwardHooks): Promise<Forward> {
    const connection = await this.#connecting;
    return await openRemoteForward({
      spec,
      listenThere: (listen, onConnection) => connection.listen(listen, onConnection),
      ...(spec.connect === 'socks' ? { dialHere: permittedDialer(this.#settings) } : {}),
      ...hooks,
    });
  }

  async #end(): Promise<TunnelError | undefined> {
    const connection = await this.#connecting.catch(() => undefined);
    if (connection === undefined) return undefined;
    const error = await connection.closed;
    this.#ended = true;
    await this.#closeForwards();
    this.#emit({ type: 'closed', host: this.host, ...(error === undefined ? {} : { error }) });
    return error;
  }

  async #closeForwards(options: { graceMs?: number } = {}): Promise<void> {
    await Promise.all(this.#forwards.map((forward) => forward.close(options)));
  }
}

/** Explicit ports here first, then `auto` ones, then what is listened on there. */
function rank({ kind, listen }: ForwardSpec): number {
  if (kind === 'remote') return 2;
  return listen.kind === 'tcp' && listen.port === 'auto' ? 1 : 0;
}

function contextFor(
  options: SessionOptions,
  emit: (event: SessionEvent) => void,
  signal: AbortSignal,
): SshContext {
  const debug = (message: string): void => emit({ type: 'debug', message });
  return {
    ...(options.ask === undefined ? {} : { ask: options.ask }),
    ...(options.trace === true ? { trace: debug } : {}),
    warn: (message) => emit({ type: 'warning', message }),
    debug,
    phase: (phase) => emit({ type: 'connecting', host: options.destination.host, phase }),
    signal,
  };
}
