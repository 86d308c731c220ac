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
  /** Absent for a forward that stays. */
  readonly #holders = new Map<Forward, Set<string>>();
  readonly #current = new Set<string>();
  /** One change after the other: two clients may ask for the same forward at once. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(session: LeasedSession) {
    this.#session = session;
  }

  begin(): string {
    const lease = randomUUID();
    this.#current.add(lease);
    return lease;
  }

  async end(lease: string): Promise<void> {
    this.#current.delete(lease);
    await this.#inTurn(async () => {
      for (const [forward, holders] of this.#holders) {
        if (holders.delete(lease) && holders.size === 0) this.#cancel(forward);
      }
    });
  }

  /** Opens all or none. Throws as `Session.forward` does, and a `UsageError` for a lease that is not there. */
  async add(specs: readonly ForwardSpec[], lease: string | undefined): Promise<Added> {
    return await this.#inTurn(async () => {
      if (lease !== undefined && !this.#current.has(lease)) {
        throw new UsageError('no-lease', `There is no lease ${lease}: its event stream has ended`);
      }
      const added: Forward[] = [];
      const already: Forward[] = [];
      try {
        for (const spec of specs) {
          const present = this.#find(spec);
          if (present === undefined) added.push(await this.#session.forward(spec));
          else already.push(present);
        }
      } catch (error) {
        await Promise.all(added.map((forward) => this.#session.cancel(forward)));
        throw error;
      }
      for (const forward of added) if (lease !== undefined) this.#holders.set(forward, new Set([lease]));
      for (const forward of already) this.#share(forward, lease);
      return { added, already };
    });
  }

  /** Closes all or none; a reverse proxy is named by where it listens. Throws a `NotFoundError` (`not-forwarded`) that names what is not there. */
  async cancel(specs: readonly ForwardSpec[]): Promise<readonly Forward[]> {
    return await this.#inTurn(async () => {
      const found = specs.map((spec) => this.#find(spec) ?? this.#named(spec) ?? this.#missing(spec));
      for (const forward of found) this.#cancel(forward);
      return found;
    });
  }

  /** It listens no longer when this returns; that its connections finish is not waited for. */
  #cancel(forward: Forward): void {
    this.#holders.delete(forward);
    void this.#session.cancel(forward, { graceMs: GRACE_MS });
  }

  /** Without a lease it is to stay. */
  #share(forward: Forward, lease: string | undefined): void {
    if (lease === undefined) this.#holders.delete(forward);
    else this.#holders.get(forward)?.add(lease);
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
    const present = forwards.map((forward) => formatFlag(forward.spec)).join(', ');
    throw new NotFoundError('not-forwarded', `${host} has no forward ${formatFlag(spec)}`, {
      hint: [present === '' ? 'It has none.' : `It has: ${present}`],
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
