import { rm } from 'node:fs/promises';
import { formatEndpoint, type Endpoint } from '../../endpoint.ts';
import { DialError, systemCode } from '../../errors.ts';
import type { MuxClient, MuxForward } from './mux-client.ts';
import type { PrivateDir } from './private-dir.ts';

/** Each takes a file descriptor of the master, which polls them all. Whoever browses through SOCKS names thousands. */
const MOST = 128;

interface Entry {
  readonly path: string;
  readonly forward: MuxForward;
  readonly asked: Promise<unknown>;
  users: number;
}

/** The sockets in our private directory that the master forwards: one for each endpoint, kept for the next dial. */
export class LocalForwards {
  readonly #mux: MuxClient;
  readonly #dir: PrivateDir;
  /** The one that was not used for longest comes first. */
  readonly #entries = new Map<string, Entry>();
  #count = 0;

  constructor(mux: MuxClient, dir: PrivateDir) {
    this.#mux = mux;
    this.#dir = dir;
  }

  /**
   * Calls `work` with the path of a socket that leads to `endpoint`, and keeps it open meanwhile. Throws a `DialError`
   * when the master does not forward it, and what `work` throws.
   */
  async use<T>(endpoint: Endpoint, work: (path: string) => Promise<T>): Promise<T> {
    const key = formatEndpoint(endpoint);
    const entry = this.#entries.get(key) ?? this.#ask(endpoint);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.users += 1;
    try {
      await entry.asked;
      return await work(entry.path);
    } catch (error) {
      if (isUseless(error)) this.#entries.delete(key);
      throw error;
    } finally {
      entry.users -= 1;
      void this.#trim();
    }
  }

  /** Has the master give up all of them. */
  async close(): Promise<void> {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all(entries.map((entry) => this.#cancel(entry)));
  }

  #ask(endpoint: Endpoint): Entry {
    this.#count += 1;
    const path = this.#dir.join(`l${this.#count}`);
    const forward: MuxForward = { direction: 'local', listen: { kind: 'unix', path }, connect: endpoint };
    const asked = this.#mux.openForward(forward).catch((cause: unknown) => {
      throw new DialError(
        'forward-refused',
        `ssh did not forward a local socket to ${formatEndpoint(endpoint)}`,
        {
          cause,
          hint: [cause instanceof Error ? `It says: ${cause.message}` : 'It does not say why.'],
        },
      );
    });
    return { path, forward, asked, users: 0 };
  }

  async #trim(): Promise<void> {
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= MOST) return;
      if (entry.users > 0) continue;
      this.#entries.delete(key);
      await this.#cancel(entry);
    }
  }

  async #cancel({ forward, path }: Entry): Promise<void> {
    await this.#mux.closeForward(forward);
    await rm(path, { force: true });
  }
}

/** Whether the next dial has to ask anew: it was never forwarded, or somebody tidied the temporary directory up. */
function isUseless(error: unknown): boolean {
  const code = error instanceof DialError ? error.code : systemCode(error);
  return code === 'forward-refused' || code === 'ENOENT' || code === 'ECONNREFUSED';
}
