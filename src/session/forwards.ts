import { socketMode } from '../config/forwards.ts';
import type { HostSettings } from '../config/settings.ts';
import type { Dialer } from '../endpoint.ts';
import { ConnectionLostError, ListenError, type TunnelError } from '../errors.ts';
import type { Forward } from '../forward/forward.ts';
import { openLocalForward } from '../forward/local.ts';
import { openRemoteForward } from '../forward/remote.ts';
import { findConflict, formatFlag, type ForwardSpec, type HttpSpec, type RemoteSpec } from '../spec.ts';
import type { SshConnection } from '../ssh/connection.ts';
import { permittedDialer } from './dialer.ts';
import type { SessionEvent } from './events.ts';
import { formatAtLength } from './http-spec.ts';
import type { HttpForward, HttpForwardOptions } from './http-forward.ts';
import { LastingListener } from './lasting-listener.ts';
import type { Link } from './link.ts';

/** The connection that there is, or the next one; rejects when it is waited for no longer. */
export type GetConnection = () => Promise<SshConnection>;

interface Hooks {
  readonly onConnection: (state: 'opened' | 'closed') => void;
  readonly onError: (error: TunnelError) => void;
}

/** The forwards of one session. They outlive its connections: what is listened on here stays, what is there is renewed. */
export class Forwards {
  readonly #settings: HostSettings;
  readonly #link: Pick<Link, 'connection'>;
  readonly #dial: Dialer;
  readonly #emit: (event: SessionEvent) => void;
  readonly #open: Forward[] = [];
  /** What is being opened: it may wait for a connection, and its place is taken all the same. */
  readonly #opening = new Set<ForwardSpec>();
  readonly #lasting = new Set<LastingListener>();
  readonly #proxies = new Set<HttpForward>();
  #closed = false;

  constructor(
    settings: HostSettings,
    link: Pick<Link, 'connection'>,
    dial: Dialer,
    emit: (event: SessionEvent) => void,
  ) {
    this.#settings = settings;
    this.#link = link;
    this.#dial = dial;
    this.#emit = emit;
  }

  get list(): readonly Forward[] {
    return this.#open;
  }

  /** Throws a `ListenError`, the error that ended the session, or what `connection` rejects with. */
  async open(spec: ForwardSpec, connection: GetConnection = () => this.#link.connection()): Promise<Forward> {
    this.#assertNotClosed();
    this.#refuseConflict(spec);
    this.#opening.add(spec);
    const forward = await this.#listen(spec, connection).finally(() => this.#opening.delete(spec));
    this.#open.push(forward);
    if (this.#closed) await forward.close();
    this.#assertNotClosed();
    return forward;
  }

  /**
   * Opens all, in the order that suits them, and lists them in the order given. What is open when one of them fails
   * stays; a `ListenError` that `forgive` takes is no failure.
   */
  async openAll(specs: readonly ForwardSpec[], forgive: (error: ListenError) => boolean): Promise<void> {
    for (const spec of specs.toSorted((a, b) => rank(a) - rank(b))) {
      try {
        await this.open(spec);
      } catch (error) {
        if (!(error instanceof ListenError) || !forgive(error)) throw error;
      }
    }
    this.#open.sort((a, b) => specs.indexOf(a.spec) - specs.indexOf(b.spec));
  }

  /** Closes one as `Forward.close` does. */
  async cancel(forward: Forward, options: { graceMs?: number }): Promise<void> {
    const index = this.#open.indexOf(forward);
    if (index === -1) return;
    this.#open.splice(index, 1);
    this.#proxies.delete(forward as HttpForward);
    this.#emit({ type: 'cancelled', forward });
    await forward.close(options);
  }

  /** New connections take another way: what is idle on the one before is not used again. */
  changeWay(): void {
    for (const proxy of this.#proxies) proxy.reset();
  }

  /** Has the server listen again, after a new connection took the place of a lost one. */
  renew(connection: SshConnection): void {
    for (const listener of this.#lasting) void listener.renew(connection);
  }

  /** Closes all as `Forward.close` does; nothing can be opened any more. */
  async close(options: { graceMs?: number } = {}): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#open.map((forward) => forward.close(options)));
  }

  async #listen(spec: ForwardSpec, connection: GetConnection): Promise<Forward> {
    let forward: Forward | undefined;
    const about = (tell: (forward: Forward) => SessionEvent): void => {
      if (forward !== undefined) this.#emit(tell(forward));
    };
    const hooks: Hooks = {
      onConnection: (state) => about((forward) => ({ type: 'connection', forward, state })),
      onError: (error) => about((forward) => ({ type: 'error', forward, error })),
    };
    switch (spec.kind) {
      case 'remote':
        forward = await this.#listenThere(spec, hooks, connection);
        break;
      case 'http':
        forward = await this.#serve(spec, {
          connection,
          onRequest: (request) => about((forward) => ({ type: 'request', forward, request })),
          onError: hooks.onError,
        });
        break;
      default:
        forward = await openLocalForward({
          spec,
          dial: this.#dial,
          remoteName: this.#settings.alias,
          socketMode: socketMode(this.#settings),
          ...hooks,
        });
    }
    return forward;
  }

  /** Loaded only where there is one: most sessions have no reverse proxy. */
  async #serve(
    spec: HttpSpec,
    hooks: Pick<HttpForwardOptions, 'connection' | 'onRequest' | 'onError'>,
  ): Promise<Forward> {
    const { openHttpForward } = await import('./http-forward.ts');
    const proxy = await openHttpForward({
      spec,
      dial: this.#dial,
      remoteName: this.#settings.alias,
      ...hooks,
    });
    this.#proxies.add(proxy);
    return proxy;
  }

  async #listenThere(spec: RemoteSpec, hooks: Hooks, connection: GetConnection): Promise<Forward> {
    return await openRemoteForward({
      spec,
      listenThere: async (listen, onConnection) => {
        const lasting = await LastingListener.open(await connection(), listen, onConnection, hooks.onError);
        this.#lasting.add(lasting);
        return {
          get bound() {
            return lasting.bound;
          },
          close: async () => {
            this.#lasting.delete(lasting);
            await lasting.close();
          },
        };
      },
      ...(spec.connect === 'socks' ? { dialHere: permittedDialer(this.#settings) } : {}),
      ...hooks,
    });
  }

  /** Our own listener would be named as the port's holder. */
  #refuseConflict(spec: ForwardSpec): void {
    const { alias } = this.#settings;
    const taken = [...this.#open.map((forward) => forward.spec), ...this.#opening];
    const other = taken.find((present) => findConflict([present, spec]) !== undefined);
    if (other === undefined) return;
    const [wanted, present] = [spec, other].map(spec.kind === 'http' ? formatAtLength : formatFlag);
    throw new ListenError(
      'already-forwarded',
      `Cannot listen for ${wanted}: the session with ${alias} listens there for ${present}`,
      { hint: [`Choose another port, or first: tunnel cancel ${alias} ${formatFlag(other)}`] },
    );
  }

  #assertNotClosed(): void {
    if (!this.#closed) return;
    throw new ConnectionLostError('session-ended', `The session with ${this.#settings.alias} has ended`);
  }
}

/** An `auto` port must not take one that is asked for, and what is listened on there must wait for the connection. */
function rank({ kind, listen }: ForwardSpec): number {
  if (kind === 'remote') return 2;
  return listen.kind === 'tcp' && listen.port === 'auto' ? 1 : 0;
}
