import type { Direction } from './direction.ts';
import { Flow } from './flow.ts';

/** sshd tells what it has passed on only after three packets of 32 KiB (channels.c, channel_check_window). */
const UNTOLD = 128 * 1024;

/**
 * What one channel may have under way to the server: what the path carries, where the server's window (2 MiB in OpenSSH)
 * would let it fill every queue on the way, and all that others send wait behind it.
 */
export class SendWindow {
  readonly #direction: Direction;
  readonly #flow: Flow;
  #underWay = 0;

  constructor(direction: Direction) {
    this.#direction = direction;
    this.#flow = new Flow(direction, direction.initialWindow);
  }

  /** Bytes that may be sent now. */
  get room(): number {
    // Where there is no way there are no queues; and programs take turns there, which looks like a slow path.
    if (this.#direction.path.isNear) return Infinity;
    return this.#flow.target + UNTOLD - this.#underWay;
  }

  sent(bytes: number): void {
    this.#underWay += bytes;
  }

  /** The peer has passed on so much. */
  passedOn(bytes: number, now: number): void {
    this.#underWay = Math.max(0, this.#underWay - bytes);
    this.#flow.delivered(bytes, now);
  }
}
