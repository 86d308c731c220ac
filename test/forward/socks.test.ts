import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionLostError, DialError } from '../../src/errors.ts';
import { bytes, connected, connectRequest, heldDialer, openSocks, type SocksPort } from './socks-client.ts';
import { closed, connectTo, random, readAll, startFarServer, until } from './streams.ts';

const failure4 = '00 5b 00 00 00 00 00 00';
const failure5 = (code: string): string => `05 00 05 ${code} 00 01 00 00 00 00 00 00`;
const longName = `'${'n'.repeat(256)}'`;

const refusals: readonly (readonly [what: string, sent: string, answer: string])[] = [
  ['SOCKS 0', '00', '05 ff'],
  ['SOCKS 6', '06 01 00', '05 ff'],
  ['TLS', '16 03 01 02 00 01 00 01 fc 03 03', '05 ff'],
  ['SOCKS 5 without a method', '05 00', '05 ff'],
  ['SOCKS 5 with a password only', '05 01 02', '05 ff'],
  ['SOCKS 5 with every method but none', '05 03 01 02 80', '05 ff'],
  ['a request of version 4 after a greeting of version 5', '05 01 00 04 01 00 01', failure5('01')],
  ['BIND in SOCKS 5', '05 01 00 05 02 00 01 7f 00 00 01 00 50', failure5('07')],
  ['UDP ASSOCIATE', '05 01 00 05 03 00 01 00 00 00 00 00 00', failure5('07')],
  ['command 0 in SOCKS 5', '05 01 00 05 00 00 01 7f 00 00 01 00 50', failure5('07')],
  ['command 255 in SOCKS 5', '05 01 00 05 ff 00 01 7f 00 00 01 00 50', failure5('07')],
  ['address type 0', '05 01 00 05 01 00 00 7f 00 00 01 00 50', failure5('08')],
  ['address type 2', '05 01 00 05 01 00 02 7f 00 00 01 00 50', failure5('08')],
  ['address type 5', '05 01 00 05 01 00 05 7f 00 00 01 00 50', failure5('08')],
  ['an empty name in SOCKS 5', '05 01 00 05 01 00 03 00 00 50', failure5('01')],
  ['a name with a NUL in SOCKS 5', `05 01 00 05 01 00 03 03 'a' 00 'b' 00 50`, failure5('01')],
  ['a name with a line break in SOCKS 5', `05 01 00 05 01 00 03 03 'a' 0a 'b' 00 50`, failure5('01')],
  ['a name with a space in SOCKS 5', `05 01 00 05 01 00 03 03 'a b' 00 50`, failure5('01')],
  ['a name that is not UTF-8 in SOCKS 5', '05 01 00 05 01 00 03 02 ff fe 00 50', failure5('01')],
  ['port 0 in SOCKS 5', '05 01 00 05 01 00 01 7f 00 00 01 00 00', failure5('01')],
  ['BIND in SOCKS 4', '04 02 00 50 7f 00 00 01 00', failure4],
  ['command 3 in SOCKS 4', '04 03 00 50 7f 00 00 01 00', failure4],
  ['port 0 in SOCKS 4', '04 01 00 00 7f 00 00 01 00', failure4],
  ['an endless user name in SOCKS 4', `04 01 00 50 7f 00 00 01 ${longName}`, failure4],
  ['an empty name in SOCKS 4a', '04 01 00 50 00 00 00 01 00 00', failure4],
  ['an endless name in SOCKS 4a', `04 01 00 50 00 00 00 01 00 ${longName}`, failure4],
  ['a name with an escape in SOCKS 4a', `04 01 00 50 00 00 00 01 00 'a' 1b 'b' 00`, failure4],
];

for (const [what, sent, answer] of refusals) {
  test(`${what} is refused with the right bytes and closed`, async (t) => {
    const socks = await openSocks(t);
    const client = await connectTo(t, socks.endpoint);
    client.write(bytes(sent));
    assert.equal((await readAll(client)).toString('hex'), bytes(answer).toString('hex'));
    client.end();
    await until(() => socks.forward.open === 0);
    assert.deepEqual(socks.asked, []);
    assert.deepEqual(
      socks.errors.map((error) => error.code),
      ['bad-socks-request'],
    );
  });
}

for (const line of ['GET / HTTP/1.1', 'CONNECT example.com:443 HTTP/1.1', 'POST /a HTTP/1.0']) {
  test(`"${line}" is answered in HTTP with what this port is`, async (t) => {
    const socks = await openSocks(t);
    const client = await connectTo(t, socks.endpoint);
    client.write(`${line}\r\nHost: example.com\r\n\r\n${'x'.repeat(100_000)}`);
    const [head = '', body = ''] = (await readAll(client)).toString().split('\r\n\r\n');
    assert.match(head, /^HTTP\/1\.0 400 Bad Request\r\n/);
    assert.match(head, new RegExp(`^Content-Length: ${body.length}$`, 'm'));
    assert.match(body, /SOCKS proxy/);
  });
}

const dialFailures: readonly (readonly [code: string, reply: string])[] = [
  ['connect-refused', '05'],
  ['unknown-host', '04'],
  ['name-server-failed', '04'],
  ['connect-unreachable', '03'],
  ['tcp-forwarding-prohibited', '02'],
  ['connect-not-permitted', '02'],
  ['connect-timeout', '06'],
  ['anything-else', '01'],
];

for (const [code, reply] of dialFailures) {
  test(`a dial that fails with ${code} is answered with ${reply} in SOCKS 5 and 5b in SOCKS 4`, async (t) => {
    const error = new DialError(code, 'It cannot be reached');
    const socks = await openSocks(t, { dial: () => Promise.reject(error) });
    for (const [sent, answer] of [
      ['05 01 00 05 01 00 01 7f 00 00 01 00 50', failure5(reply)],
      ['04 01 00 50 7f 00 00 01 00', failure4],
    ] as const) {
      const client = await connectTo(t, socks.endpoint);
      client.write(bytes(sent));
      assert.equal((await readAll(client)).toString('hex'), bytes(answer).toString('hex'));
    }
    assert.deepEqual(socks.errors, [error, error]);
  });
}

test('a dial that fails because the session is lost is a general failure', async (t) => {
  const lost = new ConnectionLostError('connection-lost', 'The connection to vps is lost');
  const socks = await openSocks(t, { dial: () => Promise.reject(lost) });
  const client = await connectTo(t, socks.endpoint);
  client.write(bytes('05 01 00 05 01 00 01 7f 00 00 01 00 50'));
  assert.deepEqual(await readAll(client), bytes(failure5('01')));
});

const requests: readonly (readonly [what: string, sent: string, host: string])[] = [
  ['an IPv4 address in SOCKS 4', '04 01 01 bb c0 00 02 07 00', '192.0.2.7'],
  ['a user name in SOCKS 4', `04 01 01 bb c0 00 02 07 'deploy' 00`, '192.0.2.7'],
  ['0.0.0.0 in SOCKS 4', '04 01 01 bb 00 00 00 00 00', '0.0.0.0'],
  ['a name in SOCKS 4a', `04 01 01 bb 00 00 00 01 00 'far.test' 00`, 'far.test'],
  ['a user name and a name in SOCKS 4a', `04 01 01 bb 00 00 00 ff 'me' 00 'far.test' 00`, 'far.test'],
  ['an IPv4 address in SOCKS 5', '05 01 00 05 01 00 01 c0 00 02 07 01 bb', '192.0.2.7'],
  ['a name in SOCKS 5', `05 01 00 05 01 00 03 08 'far.test' 01 bb`, 'far.test'],
  ['a name of 255 bytes', `05 01 00 05 01 00 03 ff ${longName.replace('n', '')} 01 bb`, 'n'.repeat(255)],
  ['a name beyond ASCII', `05 01 00 05 01 00 03 0c 'bücher.test' 01 bb`, 'bücher.test'],
  ['an address as a name', `05 01 00 05 01 00 03 03 '::1' 01 bb`, '::1'],
  ['::1', '05 01 00 05 01 00 04 00000000000000000000000000000001 01 bb', '::1'],
  [
    'a global IPv6 address',
    '05 01 00 05 01 00 04 20010db8000000000000ff0000428329 01 bb',
    '2001:db8::ff00:42:8329',
  ],
  ['other methods besides none', '05 03 02 00 01 05 01 00 01 c0 00 02 07 01 bb', '192.0.2.7'],
  ['a reserved byte that is not zero', '05 01 00 05 01 ff 01 c0 00 02 07 01 bb', '192.0.2.7'],
];

for (const [what, sent, host] of requests) {
  test(`${what} is dialled as it was asked for`, async (t) => {
    const socks = await openSocks(t, { dial: () => Promise.reject(new DialError('connect-refused', 'No')) });
    const client = await connectTo(t, socks.endpoint);
    client.write(bytes(sent));
    await readAll(client);
    assert.deepEqual(socks.asked, [{ kind: 'tcp', host, port: 443 }]);
  });
}

test('nothing is granted before the dial has succeeded', async (t) => {
  const far = await startFarServer(t, (socket) => socket.end());
  const { dial, release } = heldDialer();
  const socks = await openSocks(t, { dial });
  const client = await connectTo(t, socks.endpoint);
  const received = collect(client);
  client.write(connectRequest(far.endpoint));
  await until(() => socks.asked.length === 1 && received.bytes.length >= 2);
  assert.deepEqual(received.bytes, bytes('05 00'));
  release();
  await until(() => received.bytes.length === connected.length);
  assert.deepEqual(received.bytes, connected);
});

test('a request that comes one byte at a time is understood', async (t) => {
  const far = await startFarServer(t, (socket) => socket.end('here'));
  const socks = await openSocks(t);
  const client = await connectTo(t, socks.endpoint);
  client.setNoDelay(true);
  const answer = readAll(client);
  for (const byte of connectRequest(far.endpoint)) {
    client.write(Buffer.of(byte));
    await sleep(1);
  }
  assert.deepEqual(await answer, Buffer.concat([connected, Buffer.from('here')]));
});

test('data sent in one packet with the request reaches the far end whole', async (t) => {
  const far = await startFarServer(t, (socket) => socket.pipe(socket));
  const socks = await openSocks(t);
  const client = await connectTo(t, socks.endpoint);
  const data = random(4);
  client.end(Buffer.concat([connectRequest(far.endpoint), data]));
  const received = await readAll(client);
  assert.deepEqual(received.subarray(0, connected.length), connected);
  assert.ok(received.subarray(connected.length).equals(data));
  await until(() => socks.forward.open === 0);
  assert.equal(socks.forward.bytesUp, data.length);
  assert.equal(socks.forward.bytesDown, data.length);
});

for (const data of ['', 'question']) {
  test(`a client that ends while its dial is under way, having sent "${data}", still gets its answer`, async (t) => {
    const far = await startFarServer(t, (socket) => {
      void readAll(socket).then((asked) => socket.end(`answer to "${asked.toString()}"`));
    });
    const { dial, release } = heldDialer();
    const socks = await openSocks(t, { dial });
    const client = await connectTo(t, socks.endpoint);
    client.end(Buffer.concat([connectRequest(far.endpoint), Buffer.from(data)]));
    await until(() => socks.asked.length === 1);
    await until(() => client.writableFinished);
    // Long enough for the end to arrive; were it not, the test would only prove less.
    await sleep(20);
    release();
    const received = await readAll(client);
    assert.equal(received.subarray(connected.length).toString(), `answer to "${data}"`);
  });
}

test('a client that leaves while its dial is under way gives the dial up, and that is no error', async (t) => {
  let signal: AbortSignal | undefined;
  const socks = await openSocks(t, {
    dial: (_, given) => {
      signal = given;
      return new Promise((_, reject) =>
        given?.addEventListener('abort', () => reject(new Error('given up'))),
      );
    },
  });
  const client = await connectTo(t, socks.endpoint);
  client.write(bytes('05 01 00 05 01 00 01 7f 00 00 01 00 50'));
  await until(() => signal !== undefined);
  client.resetAndDestroy();
  await until(() => socks.forward.open === 0);
  assert.equal(signal?.aborted, true);
  assert.deepEqual(socks.errors, []);
});

for (const sent of ['', '05', '05 01 00 05 01 00 03 09', `04 01 00 50 7f 00 00 01 'half a user`]) {
  test(`a client that leaves after "${sent}" is closed, and that is no error`, async (t) => {
    const socks = await openSocks(t);
    const client = await connectTo(t, socks.endpoint);
    client.end(bytes(sent));
    client.resume();
    await closed(client);
    await until(() => socks.forward.total === 1 && socks.forward.open === 0);
    assert.deepEqual(socks.errors, []);
    assert.deepEqual(socks.asked, []);
  });
}

test('a client that resets in the middle of its request is closed, and that is no error', async (t) => {
  const socks = await openSocks(t);
  const client = await connectTo(t, socks.endpoint);
  client.write(bytes('05 01 00 05 01'));
  await once(client, 'data');
  client.resetAndDestroy();
  await until(() => socks.forward.open === 0);
  assert.deepEqual(socks.errors, []);
});

for (const sent of ['', '05', '05 01 00 05 01 00 03 09 61', '04 01 00 50']) {
  test(`a client that sends no more than "${sent}" is closed after the time limit`, async (t) => {
    const socks = await openSocks(t, { requestTimeoutMs: 50 });
    const client = await connectTo(t, socks.endpoint);
    client.write(bytes(sent));
    await readAll(client);
    assertTimedOut(socks);
  });
}

test('the time limit is for the whole request, however steadily its bytes come', async (t) => {
  const socks = await openSocks(t, { requestTimeoutMs: 100 });
  const client = await connectTo(t, socks.endpoint);
  client.write(bytes('04 01 00 50 7f 00 00 01'));
  const trickle = setInterval(() => client.write('u'), 5);
  t.after(() => clearInterval(trickle));
  await readAll(client);
  assertTimedOut(socks);
});

test('a client that neither hangs up nor reads after its refusal is closed all the same', async (t) => {
  const socks = await openSocks(t);
  const client = await connectTo(t, socks.endpoint);
  client.write(bytes('05 01 02'));
  await until(() => socks.errors.length === 1);
  await until(() => socks.forward.open === 0);
});

test('closing the forward cuts off clients in the middle of their requests and of their refusals', async (t) => {
  const socks = await openSocks(t);
  const [asking, refused] = [await connectTo(t, socks.endpoint), await connectTo(t, socks.endpoint)];
  asking.write(bytes('05 01 00'));
  await once(asking, 'data');
  refused.write(bytes('05 01 02'));
  await once(refused, 'data');
  assert.equal(socks.forward.open, 2);
  await socks.forward.close();
  assert.equal(socks.forward.open, 0);
  asking.resume();
  await closed(asking);
});

function assertTimedOut({ errors, asked }: SocksPort): void {
  assert.deepEqual(
    errors.map((error) => error.code),
    ['socks-request-timeout'],
  );
  assert.deepEqual(asked, []);
}

function collect(client: Socket): { bytes: Buffer } {
  const received = { bytes: Buffer.alloc(0) };
  client.on('data', (chunk: Buffer) => (received.bytes = Buffer.concat([received.bytes, chunk])));
  return received;
}
