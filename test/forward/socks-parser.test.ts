import assert from 'node:assert/strict';
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { readSocksRequest } from '../../src/forward/socks/read-request.ts';
import { SocksRefusal } from '../../src/forward/socks/request.ts';
import { ClientLeft } from '../../src/forward/socks/request-bytes.ts';
import { readAll } from './streams.ts';

const noLimitMs = 60_000;

interface Sample {
  readonly bytes: Buffer;
  readonly host: string;
  readonly port: number;
}

const port = fc.integer({ min: 1, max: 65_535 });
const name = fc.stringMatching(/^[a-zA-Z0-9_.é:-]{1,100}$/);
const ipv4 = fc.ipV4();
const ipv6 = fc.uint8Array({ minLength: 16, maxLength: 16 });
const userName = fc.uint8Array({ min: 1, maxLength: 255 });
const methods = fc.uint8Array({ maxLength: 254 }).map((others) => [...others, 0]);

const socks4 = fc
  .record({ port, ipv4: ipv4.filter((address) => !address.startsWith('0.0.0.')), userName })
  .map(({ port, ipv4, userName }): Sample => {
    const bytes = [4, 1, ...twoBytes(port), ...toBytes(ipv4), ...userName, 0];
    return { bytes: Buffer.from(bytes), host: ipv4, port };
  });

const socks4a = fc
  .record({ port, name, userName, last: fc.integer({ min: 1, max: 255 }) })
  .map(({ port, name, userName, last }): Sample => {
    const bytes = [4, 1, ...twoBytes(port), 0, 0, 0, last, ...userName, 0, ...Buffer.from(name), 0];
    return { bytes: Buffer.from(bytes), host: name, port };
  });

const socks5Host = fc.oneof(
  ipv4.map((host) => ({ host, bytes: [1, ...toBytes(host)] })),
  name.map((host) => ({ host, bytes: [3, Buffer.byteLength(host), ...Buffer.from(host)] })),
  ipv6.map((bytes) => ({ host: canonical(bytes), bytes: [4, ...bytes] })),
);

const socks5 = fc
  .record({ port, methods, host: socks5Host, reserved: fc.nat(255) })
  .map(({ port, methods, host, reserved }): Sample => {
    const bytes = [5, methods.length, ...methods, 5, 1, reserved, ...host.bytes, ...twoBytes(port)];
    return { bytes: Buffer.from(bytes), host: host.host, port };
  });

test('a request is read alike however it is cut, and what follows it stays in the stream', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(socks4, socks4a, socks5),
      fc.uint8Array({ maxLength: 600 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
      async (sample, after, sizes) => {
        const client = new Client(cut(Buffer.concat([sample.bytes, after]), sizes));
        const { endpoint } = await readSocksRequest(client, noLimitMs);
        assert.deepEqual(endpoint, { kind: 'tcp', host: sample.host, port: sample.port });
        assert.deepEqual(await readAll(client), Buffer.from(after));
      },
    ),
  );
});

test('a request that is cut short is a client that left, wherever the cut is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(socks4, socks4a, socks5), fc.nat(), async (sample, at) => {
      const client = new Client([sample.bytes.subarray(0, at % sample.bytes.length)]);
      await assert.rejects(readSocksRequest(client, noLimitMs), ClientLeft);
    }),
  );
});

test('whatever is sent is a request, a refusal with an answer, or a client that left', async () => {
  const start = fc.constantFrom<readonly number[]>([], [4, 1], [5, 1, 0], [5, 1, 0, 5, 1, 0, 3]);
  await fc.assert(
    fc.asyncProperty(start, fc.uint8Array({ maxLength: 600 }), async (start, rest) => {
      const client = new Client([Buffer.from([...start, ...rest])]);
      try {
        const { endpoint } = await readSocksRequest(client, noLimitMs);
        assert.ok(endpoint.port > 0 && endpoint.host.length > 0);
        assert.doesNotMatch(endpoint.host, /[\0-\x20]/);
      } catch (error) {
        if (error instanceof SocksRefusal) assert.ok(error.answer.length >= 2);
        else assert.ok(error instanceof ClientLeft, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test('no more is taken from a client than the longest request has', async () => {
  for (const start of [
    [4, 1, 0, 80, 127, 0, 0, 1],
    [4, 1, 0, 80, 0, 0, 0, 1, 0],
  ]) {
    const endless = Buffer.alloc(10_000, 'x');
    const client = new Client([Buffer.from(start), endless]);
    await assert.rejects(readSocksRequest(client, noLimitMs), SocksRefusal);
    assert.equal((await readAll(client)).length, endless.length - 256);
  }
});

test('an aborted signal ends the reading with its reason', async () => {
  const abort = new AbortController();
  const reading = readSocksRequest(new Client([], { ends: false }), noLimitMs, abort.signal);
  const reason = new Error('the forward is closed');
  abort.abort(reason);
  await assert.rejects(reading, reason);
  await assert.rejects(readSocksRequest(new Client([]), noLimitMs, abort.signal), reason);
});

/** A client that sends one chunk a turn of the event loop and listens to nothing. */
class Client extends Duplex {
  readonly #chunks: Buffer[];
  readonly #ends: boolean;

  constructor(chunks: readonly Buffer[], { ends = true } = {}) {
    super({ allowHalfOpen: true });
    this.#chunks = [...chunks];
    this.#ends = ends;
  }

  override _read(): void {
    setImmediate(() => {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined || this.#ends) this.push(chunk ?? null);
    });
  }

  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    done();
  }
}

function cut(bytes: Buffer, sizes: Iterator<number>): readonly Buffer[] {
  const chunks: Buffer[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = start + (sizes.next().value as number);
    chunks.push(bytes.subarray(start, end));
    start = end;
  }
  return chunks;
}

function twoBytes(port: number): readonly number[] {
  return [port >> 8, port & 0xff];
}

function toBytes(ipv4: string): readonly number[] {
  assert.ok(isIPv4(ipv4));
  return ipv4.split('.').map(Number);
}

function canonical(bytes: Uint8Array): string {
  const digits = Buffer.from(bytes).toString('hex').match(/.{4}/g)?.join(':') ?? '';
  assert.ok(isIPv6(digits));
  return new SocketAddress({ address: digits, family: 'ipv6' }).address;
}
