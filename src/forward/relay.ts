import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { DialError, systemCode } from '../errors.ts';
import type { Borrower, Lender } from '../lender.ts';
import { reset } from './reset.ts';

/** What cut a relay short: the stream that failed, and how. */
export interface Broken {
  readonly stream: Duplex;
  readonly error: Error;
}

export interface Counts {
  readonly fromA: (bytes: number) => void;
  readonly fromB: (bytes: number) => void;
}

/** What is this long goes out together with what came together with it: a system call for each packet would cost more. */
const BULK = 8 * 1024;

type Relayed = Duplex & Partial<Lender & Borrower>;

/** One of the two streams, and what is known of its two directions. */
class Side {
  readonly stream: Relayed;
  readonly #count: (bytes: number) => void;
  peer!: Side;
  /** Everything it had to send was read. */
  ended = false;
  /** Nothing more can reach it: all was flushed, its end included, or it is closed. */
  settled = false;
  #isGathering = false;

  constructor(stream: Relayed, count: (bytes: number) => void) {
    this.stream = stream;
    this.#count = count;
  }

  readonly pump = (chunk: Uint8Array): void => {
    this.#count(chunk.length);
    const { stream: to } = this.peer;
    const isSocket = to instanceof Socket;
    // Of other streams it is not known when they have done with what was written.
    if (this.stream.borrow === undefined || !(isSocket || to.isBorrower)) {
      if (!to.write(chunk)) this.stream.pause();
      return;
    }
    if (isSocket && chunk.length >= BULK && !this.#isGathering) {
      this.#isGathering = true;
      to.cork();
    }
    to.write(chunk);
    this.stream.borrow(chunk, this.#settle);
  };

  readonly #settle = (): boolean => {
    const { stream: to } = this.peer;
    if (this.#isGathering) {
      this.#isGathering = false;
      to.uncork();
    }
    if (!to.destroyed && to.writableLength >= to.writableHighWaterMark) this.stream.pause();
    return to.writableLength === 0;
  };

  /** It has sent everything: closes that direction, and no other. */
  end(): void {
    this.ended = true;
    if (!this.peer.settled) this.peer.stream.end();
  }
}

/**
 * Copies bytes both ways until both directions have ended; resolves with undefined, or with what broke it.
 *
 * End-of-file on one side closes only that direction, as `ssh -L` does: a client may stop sending and still wait
 * for its answer. An error on either side, or a close before its end, cuts both off: a truncated answer must not look
 * complete. A side that closes after its end has said everything: the other gets all of it and is then closed
 * whether or not it wants to send more, as ssh does on CHANNEL_CLOSE (RFC 4254 section 5.3).
 *
 * Takes ownership of both streams, which must have been made with `allowHalfOpen: true`. An aborted `signal` cuts
 * both off at once; that alone is not a break. `counts` are told of all that is copied from `a` and from `b`: further
 * listeners would cost more, for every chunk.
 */
export function relay(
  a: Duplex,
  b: Duplex,
  signal?: AbortSignal,
  counts: Counts = { fromA: () => {}, fromB: () => {} },
): Promise<Broken | undefined> {
  const left = new Side(a, counts.fromA);
  const right = new Side(b, counts.fromB);
  const sides = [left, right];
  left.peer = right;
  right.peer = left;

  return new Promise((resolve) => {
    let broken: Broken | undefined;
    let over = false;

    const finish = (): void => {
      if (over) return;
      over = true;
      signal?.removeEventListener('abort', finish);
      for (const { stream, pump } of sides) {
        stream.off('data', pump);
        reset(stream);
        // An SSH channel closes only once it is drained.
        stream.resume();
      }
      resolve(broken);
    };
    const finishWhenSettled = (): void => {
      if (left.settled && right.settled) finish();
    };
    const onFlushed = (side: Side): void => {
      side.settled = true;
      finishWhenSettled();
    };
    const onGone = (side: Side, error?: Error): void => {
      if (!side.ended || (error !== undefined && !isHangUp(error))) {
        broken ??= { stream: side.stream, error: error ?? closedEarly() };
      }
      side.settled = true;
      if (!side.ended) return finish();
      // What the peer still sends has nowhere to go, but left unread it would turn the peer's close into a reset.
      side.peer.stream.off('data', side.peer.pump);
      side.peer.stream.resume();
      finishWhenSettled();
    };

    signal?.addEventListener('abort', finish);
    for (const side of sides) {
      const { stream, peer, pump } = side;
      stream.on('error', (error: Error) => onGone(side, error));
      stream.on('close', () => onGone(side));
      stream.on('end', () => side.end());
      stream.on('finish', () => onFlushed(side));
      stream.on('drain', () => peer.stream.resume());
      stream.on('data', pump);
    }
    // What happened before the listeners were there: a socket without data ends even when nobody reads.
    for (const side of sides) {
      if (side.stream.readableEnded) side.end();
      if (side.stream.destroyed) onGone(side, side.stream.errored ?? undefined);
    }
    if (signal?.aborted === true) finish();
  });
}

function closedEarly(): Error {
  return new DialError('connection-broken', 'The connection was closed in the middle');
}

/** How a socket shows, when it is written to, that its peer has said everything and left. */
function isHangUp(error: Error): boolean {
  const code = systemCode(error);
  return code === 'EPIPE' || code === 'ECONNRESET';
}
