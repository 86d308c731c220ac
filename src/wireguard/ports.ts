/** How long a port that does not answer in the VPN is left to SSH before it is tried there again. */
const REMEMBERED_MS = 60_000;

/**
 * What is known of the ports of a VPN address. One that is bound to localhost there refuses on the VPN address, and one
 * behind a firewall is silent; neither says anything about the VPN.
 */
export class Ports {
  readonly #now: () => number;
  readonly #closedAt = new Map<number, number>();
  #answered: number | undefined;
  #tried: number | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether it is worth a try to reach the port over the VPN. */
  isOpen(port: number): boolean {
    const at = this.#closedAt.get(port);
    if (at === undefined) return true;
    if (this.#now() - at < REMEMBERED_MS) return false;
    this.#closedAt.delete(port);
    return true;
  }

  /** It is of no use over the VPN for a while. */
  close(port: number): void {
    this.#closedAt.set(port, this.#now());
  }

  /** What was believed of it was wrong, or is no longer so. */
  forget(port: number): void {
    this.#closedAt.delete(port);
  }

  /** Somebody was there: a connection, or a refusal. */
  answered(port: number): void {
    this.#answered = port;
  }

  silent(port: number): void {
    this.#tried = port;
    if (this.#answered === port) this.#answered = undefined;
  }

  /** A port that has answered, other than the given one. */
  answering(except: number): number | undefined {
    return this.#answered === except ? undefined : this.#answered;
  }

  /** The port to see by whether the host is there. Undefined: none was ever dialled. */
  get toProbe(): number | undefined {
    return this.#answered ?? this.#tried;
  }
}
