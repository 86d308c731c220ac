import { randomUUID } from 'node:crypto';
import { NotFoundError, UsageError } from '../../errors.ts';
import type { Forward } from '../../forward/forward.ts';
import { formatFlag, type ForwardSpec } from '../../spec.ts';
import { isSameForward } from '../http-spec.ts';
import type { Session } from '../session.ts';

/** How long the connections of a forward whose last holder has left may go on. */
const GRACE_MS = 3000;

export interface Added {
  readonly added: readonly Forward[];
  /** Was open before. */
  readonly already: readonly Forward[];
}

type LeasedSession = Pick<Session, 'host' | 'forwards' | 'forward' | 'cancel'>;

/**
 * Which of a session's forwards are there for whom. A forward that was added under leases goes when the last of them
 * ends; one that the session opened itself, or that was added without a lease, stays until it is cancelled.
 */
export class Leases {
  readonly #session: LeasedSession;
  /** Leases, and adds that are not finished. Absent for a forward that stays. */
  readonly #holders = new Map<Forward, Set<string>>();
  readonly #current = new Map<string, AbortController>();
  /** Of each forward, one add after the other: two clients may ask for the same at once. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(session: LeasedSession) {
    this.#session = session;
  }

  begin(): string {
    const lease = randomUUID();
    this.#current.set(lease, new AbortController());
    return lease;
  }

  /** What nobody else holds listens no longer when this returns. An add under the lease that waits ends, too. */
  end(lease: string): void {
    const ending = this.#current.get(lease);
    this.#current.delete(lease);
    for (const forward of this.#holders.keys()) this.#release(forward, lease);
    ending?.abort(noLease(lease));
  }

  /**
   * Opens all or none. Throws as `Session.forward` does, a `UsageError` for a lease that is not there or ends meanwhile,
   * and the reason of `signal`. What waits for a connection keeps only those waiting who want the same.
   */
  async add(specs: readonly ForwardSpec[], lease: string | undefined, signal?: AbortSignal): Promise<Added> {
    const ended = lease === undefined ? undefined : (this.#current.get(lease)?.signal ?? refuse(lease));
    const abort = AbortSignal.any([signal, ended].filter((one) => one !== undefined));
    return await this.#inTurn(specs.map(formatFlag), () => this.#addAll(specs, lease, abort));
  }

  /** Closes all or none; a reverse proxy is named by where it listens. Throws a `NotFoundError` (`not-forwarded`) that names what is not there. */
  cancel(specs: readonly ForwardSpec[]): readonly Forward[] {
    const found = specs.map((spec) => this.#find(spec) ?? this.#named(spec) ?? this.#missing(spec));
    for (const forward of found) this.#cancel(forward);
    return found;
  }

  async #addAll(
    specs: readonly ForwardSpec[],
    lease: string | undefined,
    abort: AbortSignal,
  ): Promise<Added> {
    // Holds them until all are there, so that they stay when others let go of them meanwhile, and go when one fails.
    const hold = randomUUID();
    const added: Forward[] = [];
    const already: Forward[] = [];
    try {
      for (const spec of specs) {
        abort.throwIfAborted();
        const present = this.#find(spec);
        if (present !== undefined) {
          this.#holders.get(present)?.add(hold);
          already.push(present);
          continue;
        }
        const forward = await this.#session.forward(spec, abort);
        this.#holders.set(forward, new Set([hold]));
        added.push(forward);
      }
      abort.throwIfAborted();
    } catch (error) {
      for (const forward of [...added, ...already]) this.#release(forward, hold);
      throw error;
    }
    for (const forward of [...added, ...already]) this.#handOver(forward, hold, lease);
    return { added, already };
  }

  /** It listens no longer when this returns; that its connections finish is not waited for. */
  #cancel(forward: Forward): void {
    this.#holders.delete(forward);
    void this.#session.cancel(forward, { graceMs: GRACE_MS });
  }

  #release(forward: Forward, holder: string): void {
    const holders = this.#holders.get(forward);
    if (holders?.delete(holder) === true && holders.size === 0) this.#cancel(forward);
  }

  /** Without a lease it is to stay. */
  #handOver(forward: Forward, hold: string, lease: string | undefined): void {
    if (lease === undefined) this.#holders.delete(forward);
    else this.#holders.get(forward)?.add(lease).delete(hold);
  }

  #find(spec: ForwardSpec): Forward | undefined {
    return this.#session.forwards.find((forward) => isSameForward(forward.spec, spec));
  }

  #named(spec: ForwardSpec): Forward | undefined {
    const wanted = formatFlag(spec);
    return this.#session.forwards.find((forward) => formatFlag(forward.spec) === wanted);
  }

  #missing(spec: ForwardSpec): never {
    const { host, forwards } = this.#session;
    const wanted = formatFlag(spec);
    const present = forwards.map((forward) => formatFlag(forward.spec)).join(', ');
    throw new NotFoundError('not-forwarded', `${host} has no forward ${wanted}`, {
      hint: [
        ...(this.#turns.has(wanted) ? ['It is being opened, and waits for the connection.'] : []),
        present === '' ? 'It has none.' : `It has: ${present}`,
      ],
    });
  }

  async #inTurn<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const before = keys.map((key) => this.#turns.get(key) ?? Promise.resolve());
    const result = Promise.all(before).then(work);
    const turn = result.catch(() => undefined);
    for (const key of keys) this.#turns.set(key, turn);
    try {
      return await result;
    } finally {
      for (const key of keys) if (this.#turns.get(key) === turn) this.#turns.delete(key);
    }
  }
}

function refuse(lease: string): never {
  throw noLease(lease);
}

function noLease(lease: string): UsageError {
  return new UsageError('no-lease', `There is no lease ${lease}: its event stream has ended`);
}
