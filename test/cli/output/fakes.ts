import { cursorTo, clearLine, moveCursor } from 'node:readline';
import { Writable } from 'node:stream';
import type { Endpoint } from '../../../src/endpoint.ts';
import type { Forward } from '../../../src/forward/forward.ts';
import type { Listen } from '../../../src/spec.ts';

/** A stream that keeps what was written to it; with `columns` it has what libraries use of a terminal. */
export class Recorder extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number | undefined;

  constructor(columns?: number) {
    super();
    this.isTTY = columns !== undefined;
    this.columns = columns;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.text += chunk.toString();
    callback();
  }

  hasColors(): boolean {
    return false;
  }

  cursorTo(x: number): boolean {
    return cursorTo(this, x);
  }

  clearLine(direction: -1 | 0 | 1): boolean {
    return clearLine(this, direction);
  }

  moveCursor(dx: number, dy: number): boolean {
    return moveCursor(this, dx, dy);
  }
}

export function tcp(host: string, port: number): Endpoint {
  return { kind: 'tcp', host, port };
}

export function unix(path: string): Endpoint {
  return { kind: 'unix', path };
}

/** Both loopback addresses, unless something else is listened on. */
export function forwardTo(
  connect: Endpoint,
  listen: Listen = { kind: 'tcp', port: 8081 },
  bound: readonly Endpoint[] = [tcp('127.0.0.1', 8081), tcp('::1', 8081)],
): Forward {
  return {
    spec: { kind: 'local', listen, connect },
    bound,
    open: 1,
    total: 3,
    bytesUp: 100,
    bytesDown: 2000,
    close: async () => {},
  };
}
