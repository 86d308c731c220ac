import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { ListenError } from '../../src/errors.ts';
import { toAcceptError, toListenError } from '../../src/forward/listen-error.ts';
import { parseSpec } from '../../src/parse-spec.ts';

function systemError(code: string, detail: object = {}): Error {
  return Object.assign(new Error(`listen ${code}`), { code, ...detail });
}

test('a port in use is said with its holder and with the spec for another port', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const next = port === 65_535 ? port - 1 : port + 1;
  const cause = systemError('EADDRINUSE', { address: '127.0.0.1', port });
  const error = await toListenError(cause, parseSpec(`${port}`));
  assert.equal(error.code, 'port-in-use');
  assert.equal(
    error.message,
    `Cannot listen on 127.0.0.1:${port}: the port is in use by another forward of this process`,
  );
  assert.deepEqual(error.hint, [`Use another local port: ${next}:${port}`]);
  assert.equal(error.cause, cause);
});

test('a port below 1024 that is not permitted comes with the spec for one that is', async () => {
  const error = await toListenError(systemError('EACCES', { address: '::1', port: 80 }), parseSpec('80'));
  assert.equal(error.code, 'port-privileged');
  assert.match(error.message, /^Cannot listen on \[::1\]:80: /);
  assert.deepEqual(error.hint, ['Use a port from 1024 up: 8080:80']);
});

test('an address that is not there comes with the spec for the loopback addresses', async () => {
  const cause = systemError('EADDRNOTAVAIL', { address: '192.0.2.1', port: 8080 });
  const error = await toListenError(cause, parseSpec('192.0.2.1:8080:db:5432'));
  assert.equal(error.code, 'address-not-available');
  assert.match(error.hint.join(), /8080:db:5432$/);
});

test('a name that is not found comes with the spec for the loopback addresses', async () => {
  const error = await toListenError(systemError('ENOTFOUND'), parseSpec('myhost:8080:db:5432'));
  assert.equal(error.code, 'address-not-available');
  assert.match(error.message, /the name myhost was not found$/);
  assert.match(error.hint.join(), /8080:db:5432$/);
});

test('a folder that is missing comes with the command that makes it, quoted for the shell', async () => {
  const spec = parseSpec("./it's new/app.sock:/srv/app.sock");
  const error = await toListenError(systemError('ENOENT'), spec);
  assert.equal(error.code, 'folder-missing');
  const command = /^Make it: (.*)$/.exec(error.hint[0] ?? '')?.[1] ?? '';
  const words = execFileSync('sh', ['-c', `mkdir() { printf "<%s>" "$@"; }; ${command}`], {
    encoding: 'utf8',
  });
  assert.match(words, /^<-p><[^<>]*it's new>$/);
});

test('without a file descriptor left, listening and accepting both say how to get more', async () => {
  const spec = parseSpec('8080');
  const listening = await toListenError(systemError('EMFILE', { address: '::1', port: 8080 }), spec);
  const accepting = toAcceptError(systemError('EMFILE'), spec);
  assert.deepEqual([listening.code, accepting.code], ['listen-failed', 'accept-failed']);
  assert.match(listening.hint.join(), /ulimit -n/);
  assert.deepEqual(accepting.hint, listening.hint);
});

test('what else the system may say is passed on with its cause', async () => {
  const error = await toListenError(
    systemError('ENOBUFS', { address: '::1', port: 8080 }),
    parseSpec('8080'),
  );
  assert.equal(error.code, 'listen-failed');
  assert.match(error.message, /ENOBUFS/);
  assert.deepEqual(error.hint, []);
});

test('an error that is a ListenError already stays what it is', async () => {
  const original = new ListenError('socket-in-use', 'taken');
  assert.equal(await toListenError(original, parseSpec('8081')), original);
});
