import type { TcpEndpoint } from '../../endpoint.ts';
import { DialError } from '../../errors.ts';

/** A CONNECT that was read to its last byte, and the two answers that it may get. */
export interface SocksRequest {
  /** A name stands as the client wrote it: it is resolved where it is dialled. */
  readonly endpoint: TcpEndpoint;
  readonly granted: Buffer;
  /** Says as much of the reason as the protocol can. */
  readonly refused: (error: unknown) => Buffer;
}

/** A request that cannot be met, and what the client is answered. */
export class SocksRefusal extends DialError {
  readonly answer: Buffer;

  constructor(why: string, answer: Buffer) {
    super('bad-socks-request', `A SOCKS client was refused: ${why}`);
    this.answer = answer;
  }
}
