import type { Endpoint } from '../../endpoint.ts';
import { ChannelOpenError } from '../channel-open-error.ts';

/** RFC 4254, section 5.1, in the words of OpenSSH's reason2txt (channels.c). */
const REASONS: Readonly<Record<string, number>> = {
  'administratively prohibited': 1,
  'connect failed': 2,
  'unknown channel type': 3,
  'resource shortage': 4,
};

/** One connection made to a socket that the master forwards. */
export interface PendingOpen {
  /** Settles when the server has answered; rejects with a `ChannelOpenError`, or with what `abandon` was given. */
  readonly outcome: Promise<void>;
  /** The connection was not made after all. */
  withdraw(): void;
}

interface Waiting {
  readonly endpoint: Endpoint;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Learns from what our master writes (LogLevel DEBUG2) what became of each connection to a forwarded socket: the master
 * accepts at once and asks the server only then, so the connection itself tells nothing.
 *
 *     debug1: Connection to port -2 forwarding to localhost port 80 requested.
 *     debug1: channel 5: new direct-tcpip [direct-tcpip] (inactive timeout: 0)
 *     channel 5: open failed: connect failed: Connection refused
 *     debug2: channel 6: open confirm rwindow 2097152 rmax 32768
 *
 * These lines are the same in every OpenSSH from 7.4 to 10. The first has no number, but a listening socket gives out
 * its connections in the order in which they were made.
 */
export class OpenOutcomes {
  readonly #made = new Map<string, Waiting[]>();
  readonly #opening = new Map<string, Waiting>();
  #requested = '';

  /** To be called right before the connection is made: with `connect` between the two calls the order would be lost. */
  expect(endpoint: Endpoint): PendingOpen {
    const key = asLogged(endpoint);
    let waiting: Waiting | undefined;
    const outcome = new Promise<void>((resolve, reject) => {
      waiting = { endpoint, resolve, reject };
      const made = this.#made.get(key);
      if (made === undefined) this.#made.set(key, [waiting]);
      else made.push(waiting);
    });
    // Whoever gave up waiting does not want to hear of it.
    outcome.catch(() => undefined);
    return { outcome, withdraw: () => this.#remove(key, waiting) };
  }

  /** One line of what the master writes. */
  read(line: string): void {
    const requested = /^debug1: Connection to port \S+ forwarding to (.*) port (-?\d+) requested\.$/.exec(
      line,
    );
    if (requested !== null) {
      this.#requested = `${requested[1]} ${requested[2]}`;
      return;
    }
    const [, channel = '', event = ''] = /^(?:debug[12]: )?channel (\d+): (.*)$/.exec(line) ?? [];
    if (channel !== '') this.#readChannel(channel, event);
  }

  /** No answer will come any more. */
  abandon(error: Error): void {
    for (const waiting of [...this.#opening.values(), ...[...this.#made.values()].flat()])
      waiting.reject(error);
    this.#made.clear();
    this.#opening.clear();
  }

  #readChannel(channel: string, event: string): void {
    // Only now has it accepted: with no file descriptor left it announces the same connection again later.
    if (/^new .*direct-/.test(event)) {
      const accepted = this.#takeFirst(this.#requested);
      if (accepted !== undefined) this.#opening.set(channel, accepted);
      return;
    }
    const waiting = this.#opening.get(channel);
    if (waiting === undefined) return;
    // A server need not describe its reason (dropbear refuses a socket so): nothing follows the second colon then.
    const [, reason = '', description = ''] = /^open failed: ([^:]*)(?:: ?(.*))?$/.exec(event) ?? [];
    if (reason !== '') {
      waiting.reject(
        new ChannelOpenError(waiting.endpoint, REASONS[reason] ?? 0, new Error(description || reason)),
      );
    } else if (event.startsWith('open confirm')) waiting.resolve();
    else return;
    this.#opening.delete(channel);
  }

  #takeFirst(key: string): Waiting | undefined {
    const first = this.#made.get(key)?.[0];
    this.#remove(key, first);
    return first;
  }

  #remove(key: string, waiting: Waiting | undefined): void {
    const made = this.#made.get(key) ?? [];
    const index = made.findIndex((other) => other === waiting);
    if (index !== -1) made.splice(index, 1);
    if (made.length === 0) this.#made.delete(key);
  }
}

/** ssh shows at most 100 bytes of a name, and what is not plain ASCII as octal (log.c, with vis(3)). */
function asLogged(endpoint: Endpoint): string {
  const name = Buffer.from(endpoint.kind === 'unix' ? endpoint.path : endpoint.host).subarray(0, 100);
  const shown = Array.from(name, (byte) => {
    if (byte === 0x5c) return '\\\\';
    return byte < 0x20 || byte > 0x7e ? `\\${byte.toString(8).padStart(3, '0')}` : String.fromCharCode(byte);
  });
  return `${shown.join('')} ${endpoint.kind === 'unix' ? -2 : endpoint.port}`;
}
