import type { Socket } from 'node:net';

/** An answer is mostly followed by the next request, which acknowledges it. The first is the least that a timer can be. */
const DELAY_MS = 1;
const DELAY_AMONG_MANY_MS = 5;

/**
 * Acknowledges at once what the server sends, also where there is nothing to say to it.
 *
 * sshd turns Nagle's algorithm (RFC 9293, section 3.7.4) off for sessions with a command alone (packet.c,
 * ssh_packet_set_interactive): of an answer in two small pieces, such as a header and a body, it holds the second one until
 * the first is acknowledged, and the system here waits for 40 ms whether there is something to send that could carry the
 * acknowledgement.
 */
export class PromptAck {
  readonly #socket: Socket;
  readonly #send: () => void;
  readonly #hasMany: () => boolean;
  #written = 0;
  #isWaiting = false;

  /** `send` sends something that means nothing; `hasMany` says whether many may speak, one of whom soon will. */
  constructor(socket: Socket, send: () => void, hasMany: () => boolean) {
    this.#socket = socket;
    this.#send = send;
    this.#hasMany = hasMany;
  }

  /** To be called when something has come, before it is handled. */
  readonly received = (): void => {
    this.#written = this.#socket.bytesWritten;
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    setTimeout(this.#acknowledge, this.#hasMany() ? DELAY_AMONG_MANY_MS : DELAY_MS);
  };

  readonly #acknowledge = (): void => {
    this.#isWaiting = false;
    if (!this.#socket.destroyed && this.#socket.bytesWritten === this.#written) this.#send();
  };
}
