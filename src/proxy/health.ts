import { type Endpoint, formatEndpoint } from '../endpoint.ts';

/** How long an upstream that could not be connected to is tried after the others. */
const sickMs = 10_000;

/** Which of several upstreams could be connected to lately. */
export class Health {
  readonly #sickUntil = new Map<string, number>();

  /** In their order, those that failed lately last. */
  inOrder(upstreams: readonly Endpoint[]): readonly Endpoint[] {
    if (upstreams.length < 2) return upstreams;
    const sick = upstreams.filter((endpoint) => this.#isSick(endpoint));
    return [...upstreams.filter((endpoint) => !sick.includes(endpoint)), ...sick];
  }

  failed(endpoint: Endpoint): void {
    this.#sickUntil.set(formatEndpoint(endpoint), performance.now() + sickMs);
  }

  worked(endpoint: Endpoint): void {
    this.#sickUntil.delete(formatEndpoint(endpoint));
  }

  #isSick(endpoint: Endpoint): boolean {
    return (this.#sickUntil.get(formatEndpoint(endpoint)) ?? 0) > performance.now();
  }
}
