import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

const NOTHING = Buffer.alloc(0);

/**
 * Our end of a socket whose other end ssh holds, as a stream that never ends as complete when it is not.
 *
 * An ssh that ends or is killed leaves an end of file behind, the same as that of a channel that was read to its end.
 * So an end is passed on only after the master has answered once more. When it does not answer the stream stays as it
 * is: the connection destroys it with the reason.
 *
 * The sockets bring half-close and back-pressure. What they do not bring is a reset: ssh takes `destroy()` for our end
 * of file, and closes the channel when it next has something to write to us.
 */
export class ForwardedStream extends Duplex {
  readonly #socket: Socket;
  readonly #isAlive: () => Promise<boolean>;
  readonly #refusal: Error | undefined;
  #received = 0;

  /**
   * Takes ownership of `socket`, which was made with `allowHalfOpen` and has not been read yet. `refusal` is what to fail
   * with when the server turns out to have refused the channel, if that is not known yet.
   */
  constructor(socket: Socket, isAlive: () => Promise<boolean>, refusal?: Error) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.#isAlive = isAlive;
    this.#refusal = refusal;
    socket.on('data', (data: Buffer) => {
      this.#received += data.length;
      if (!this.push(data)) socket.pause();
    });
    socket.on('end', () => this.#receiveEnd());
    socket.on('error', (error) => {
      const refused = this.#received === 0 ? refusal : undefined;
      this.#ifAlive(() => this.destroy(refused ?? error));
    });
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(data: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#socket.write(data, onSuccess(done));
  }

  override _final(done: () => void): void {
    this.#socket.end(onSuccess(done));
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #receiveEnd(): void {
    const socket = this.#socket;
    const end = (): void => this.#ifAlive(() => this.push(null));
    // The socket of a channel that has ended is only shut down, and takes what we still send. That of a channel that was
    // refused is closed: even nothing cannot be written to it.
    const mayBeRefused = this.#refusal !== undefined && this.#received === 0;
    if (mayBeRefused && socket.writable && socket.writableLength === 0) socket.write(NOTHING, onSuccess(end));
    else end();
  }

  #ifAlive(then: () => void): void {
    void this.#isAlive().then((alive) => {
      if (alive && !this.destroyed) then();
    });
  }
}

/** A failure is the business of the error handler. */
function onSuccess(done: () => void): (error?: Error | null) => void {
  return (error) => {
    if (!error) done();
  };
}
