import { isOn } from '../config/forwards.ts';
import { ConnectError, ListenError, type TunnelError } from '../errors.ts';
import type { Forward } from '../forward/forward.ts';
import { formatFlag, type ForwardSpec } from '../spec.ts';
import { connect } from '../ssh/connect.ts';
import type { SshConnection } from '../ssh/connection.ts';
import type { Ask, SshContext } from '../ssh/context.ts';
import type { Path, PathChange } from '../wireguard/health-state.ts';
import { watchAwakening } from './awakening.ts';
import { explainedDialer } from './dialer.ts';
import type { SessionEvent } from './events.ts';
import { exposure } from './exposure.ts';
import { Forwards } from './forwards.ts';
import { Link } from './link.ts';
import { held, patientDialer, type Patience } from './patient-dialer.ts';
import { needsSsh, planSession, type PlanOptions, type SessionPlan } from './plan.ts';
import { RememberedAnswers } from './remembered-answers.ts';
import type { Backoff, Policy, State } from './state.ts';
import { Vpn } from './vpn.ts';

/** How a session lives; times are in milliseconds. */
export interface LifeOptions extends Partial<Patience> {
  /** Bounds of the wait between two attempts, 500 and 30,000 unless told otherwise; false: what is lost stays lost. */
  readonly reconnect?: Backoff | false;
  /** Whether a first attempt that fails is followed by others; false unless told otherwise. */
  readonly wait?: boolean;
  /** Absent: nobody can be asked, so what would need an answer is refused. */
  readonly ask?: Ask;
  readonly onEvent?: (event: SessionEvent) => void;
  /** Adds the messages of the SSH protocol to the `debug` events. */
  readonly trace?: boolean;
}

export interface SessionOptions extends PlanOptions, LifeOptions {
  /** Gives up opening; a session that is open is ended by `close`. */
  readonly signal?: AbortSignal;
}

/** Connections, and bytes since the session opened: `up` to the remote, `down` from it. */
export interface Traffic {
  readonly open: number;
  readonly total: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** Whom and where a session is logged in to. */
export interface Account {
  readonly user: string;
  readonly address: string;
  readonly via: Path;
}

const RECONNECT: Backoff = { minMs: 500, maxMs: 30_000 };
const HOLD_MS = 15_000;
const RETRY_DIAL_MS = 2000;

/**
 * Connects, and opens every forward or none. Listeners here are bound while the network is waited for; what they accept
 * waits until the connection is there. Throws `ConnectError`, `ListenError`, `UsageError`, or the reason of `signal`.
 * The caller closes the session.
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const session = new Session(await planSession(options), options);
  await session.open(options.signal);
  return session;
}

/** Our life with one host: an SSH connection, one after the other, and the forwards over it. */
export class Session {
  /** The name as the person wrote it. */
  readonly host: string;
  /** Settles when the session has ended: with the error that ended it, or undefined after `close`. */
  readonly closed: Promise<TunnelError | undefined>;
  readonly #plan: SessionPlan;
  readonly #options: LifeOptions;
  readonly #link: Link;
  readonly #vpn: Vpn | undefined;
  readonly #forwards: Forwards;
  readonly #holdMs: number;
  readonly #answers = new RememberedAnswers();
  readonly #warned = new Set<string>();
  #isOpen = false;

  /** Begins to connect. `open` is to follow. */
  constructor(plan: SessionPlan, options: LifeOptions) {
    this.host = plan.settings.alias;
    this.#plan = plan;
    this.#options = options;
    for (const message of plan.settings.warnings) this.#warn(message);
    const { holdMs = HOLD_MS, retryDialMs = RETRY_DIAL_MS } = options;
    this.#holdMs = holdMs;
    this.#vpn = plan.vpn && new Vpn(plan, plan.vpn, (change) => this.#changeWay(change));
    this.#link = new Link({
      host: this.host,
      connect: (signal) => this.#connect(this.#context(signal)),
      policy: this.#policy(),
      onState: (state) => this.#follow(state),
    });
    const ssh = patientDialer(this.#link, explainedDialer, { holdMs, retryDialMs });
    const dial = this.#vpn?.dialer(ssh) ?? ssh;
    this.#forwards = new Forwards(plan.settings, this.#link, dial, (event) => this.#emit(event));
    this.closed = this.#end(watchAwakening((why) => void this.#wake(why)));
  }

  get forwards(): readonly Forward[] {
    return this.#forwards.list;
  }

  get state(): State {
    return this.#link.state;
  }

  /** Which way new connections to ports of the host take. */
  get via(): Path {
    return this.#vpn?.via ?? 'ssh';
  }

  /** Why that way, where there are two. */
  get viaReason(): string | undefined {
    return this.#vpn?.status().reason;
  }

  /** Whether connections are carried now. */
  get isReady(): boolean {
    const { name } = this.state;
    if (name === 'closing' || name === 'closed') return false;
    return name === 'ready' || (this.via === 'wireguard' && !needsSsh(this.#plan));
  }

  /** Whom and where the session is logged in to, while it is; through the VPN alone, who would log in. */
  get account(): Account | undefined {
    const { current } = this.#link;
    const { via } = this;
    if (current !== undefined) return { user: current.settings.user, address: current.address, via };
    const address = via === 'wireguard' ? this.#vpn?.address : undefined;
    return address === undefined ? undefined : { user: this.#plan.settings.user, address, via };
  }

  traffic(): Traffic {
    const sum = { open: 0, total: 0, bytesUp: 0, bytesDown: 0 };
    for (const forward of this.forwards) {
      sum.open += forward.open;
      sum.total += forward.total;
      sum.bytesUp += forward.bytesUp;
      sum.bytesDown += forward.bytesDown;
    }
    return sum;
  }

  /** Waits for the connection and opens what is planned, all or nothing. Throws as `openSession` does. */
  async open(signal?: AbortSignal): Promise<void> {
    const { forwards, mayFail } = this.#plan;
    const opening = this.#forwards.openAll(forwards, (error) => {
      if (mayFail) this.#warn([error.message, ...error.hint].join(' '));
      return mayFail;
    });
    try {
      await Promise.race([Promise.all([this.#wayThere(), opening]), aborted(signal)]);
      this.#isOpen = true;
      this.#tellReady();
      for (const forward of this.forwards) this.#announce(forward);
    } catch (error) {
      // What is still being opened fails with the connection, or is closed as soon as it is open.
      await this.close();
      await opening.catch(() => undefined);
      throw isOn(this.#plan.settings, 'exitonforwardfailure') ? asNoSession(error) : error;
    }
  }

  /**
   * Adds a forward over the same connection; one that needs the host to be opened waits for a connection as long as what
   * is accepted does. Throws a `ListenError` (`not-connected` when none came), the error that ended the session, or the
   * reason of `signal`.
   */
  async forward(spec: ForwardSpec, signal?: AbortSignal): Promise<Forward> {
    const tooLong = (): ListenError => this.#notConnected(spec);
    const forward = await this.#forwards.open(spec, () => held(this.#link, this.#holdMs, tooLong, signal));
    this.#announce(forward);
    return forward;
  }

  /** Closes one forward as `Forward.close` does; the session goes on. */
  async cancel(forward: Forward, options: { graceMs?: number } = {}): Promise<void> {
    await this.#forwards.cancel(forward, options);
  }

  /** Connects now where it waits to, and makes sure of the connection where there is one. */
  async retry(): Promise<void> {
    await this.#link.probe('a retry that was asked for');
  }

  /**
   * Stops listening at once, lets open connections finish for up to `graceMs` (default 0), then ends the SSH
   * connection. Called again with a shorter time, it shortens it.
   */
  async close(options: { graceMs?: number } = {}): Promise<void> {
    await this.#forwards.close(options);
    await this.#link.close();
    await this.closed;
  }

  #notConnected(spec: ForwardSpec): ListenError {
    const { state, host } = this;
    const why = state.name === 'waiting' ? `: ${state.reason.message}` : '';
    return new ListenError(
      'not-connected',
      `Cannot open ${formatFlag(spec)}: there was no connection to ${host} for ${this.#holdMs / 1000} s${why}`,
      { hint: [`To see when it tries again: tunnel status ${host}`] },
    );
  }

  async #end(stopWatching: () => void): Promise<TunnelError | undefined> {
    const error = await this.#link.closed;
    stopWatching();
    this.#vpn?.close();
    await this.#forwards.close();
    this.#emit({ type: 'closed', host: this.host, ...(error !== undefined && { error }) });
    return error;
  }

  /** Fulfils when connections can be carried, be it by SSH or by the VPN alone. */
  async #wayThere(): Promise<void> {
    await this.#vpn?.ready;
    if (!this.isReady) await this.#link.connection();
  }

  async #connect(context: SshContext): Promise<SshConnection> {
    const { settings, flags, transport } = this.#plan;
    return await (this.#vpn?.connect(context) ?? connect(settings, flags, context, transport));
  }

  #policy(): Policy {
    const { reconnect = RECONNECT, wait = false } = this.#options;
    const vpn = this.#vpn;
    const standby = this.#plan.vpn?.standby === true;
    const eager = needsSsh(this.#plan) || standby;
    const isOpen = (): boolean => this.#isOpen;
    return {
      ...(reconnect !== false && { reconnect }),
      // A session that lives by the VPN does not end because SSH fails the first time.
      get wait() {
        return wait || standby || isOpen();
      },
      get lazy() {
        return !eager && vpn?.sparesSsh === true;
      },
    };
  }

  #changeWay({ via, reason, tookMs }: PathChange): void {
    this.#emit({ type: 'via', host: this.host, via, reason, tookMs });
    this.#forwards.changeWay();
    if (via === 'ssh') this.#link.need();
  }

  async #wake(why: string): Promise<void> {
    this.#emit({ type: 'debug', message: `looking whether ${this.host} still answers, after ${why}` });
    await this.#link.probe(why);
  }

  #follow(state: State): void {
    if (state.name === 'waiting') {
      const retryInMs = Math.max(0, Math.round(state.retryAt - performance.now()));
      this.#emit({ type: 'waiting', host: this.host, error: state.reason, retryInMs });
    }
    if (state.name === 'ready' && this.#isOpen) {
      this.#tellReady();
      const { current } = this.#link;
      if (current !== undefined) this.#forwards.renew(current);
    }
  }

  #tellReady(): void {
    const { account } = this;
    // It may be lost already, which is told next.
    if (account !== undefined) this.#emit({ type: 'ready', host: this.host, ...account });
  }

  /** Tells of a forward that is open, and of who else can reach it. */
  #announce(forward: Forward): void {
    this.#emit({ type: 'forward', forward });
    const message = exposure(forward, this.host);
    if (message !== undefined) this.#emit({ type: 'warning', message });
  }

  #context(signal: AbortSignal): SshContext {
    const { trace = false } = this.#options;
    const ask = this.#answers.forAttempt(this.#options.ask);
    const debug = (message: string): void => this.#emit({ type: 'debug', message });
    return {
      ...(ask === undefined ? {} : { ask }),
      ...(trace ? { trace: debug } : {}),
      warn: (message) => this.#warn(message),
      debug,
      phase: (phase) => this.#emit({ type: 'connecting', host: this.host, phase }),
      signal,
    };
  }

  /** Once in the life of a session: every attempt finds the same things to warn of. */
  #warn(message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.#emit({ type: 'warning', message });
  }

  #emit(event: SessionEvent): void {
    this.#options.onEvent?.(event);
  }
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(signal?.reason as Error);
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}

/** With ExitOnForwardFailure a forward that fails is as bad as no session, also in the exit status, as for ssh. */
function asNoSession(error: unknown): unknown {
  if (!(error instanceof ListenError)) return error;
  return new ConnectError(error.code, error.message, { hint: error.hint, cause: error.cause });
}
