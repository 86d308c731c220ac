import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Endpoint, formatEndpoint, parseEndpoint } from '../src/endpoint.ts';
import { UsageError } from '../src/errors.ts';

const tcp = (host: string, port: number): Endpoint => ({ kind: 'tcp', host, port });
const unix = (path: string): Endpoint => ({ kind: 'unix', path });

const readings: readonly (readonly [text: string, endpoint: Endpoint])[] = [
  ['3000', tcp('localhost', 3000)],
  ['host:3000', tcp('host', 3000)],
  ['[::1]:80', tcp('::1', 80)],
  ['[fe80::1%eth0]:80', tcp('fe80::1%eth0', 80)],
  ['[db.internal]:5432', tcp('db.internal', 5432)],
  ['unix:3000', tcp('unix', 3000)],
  ['auto:3000', tcp('auto', 3000)],
  ['/srv/app/app.sock', unix('/srv/app/app.sock')],
  ['~/app/app.sock', unix('~/app/app.sock')],
  ['./app.sock', unix('./app.sock')],
  ['app/app.sock', unix('app/app.sock')],
  ['unix:/srv/app/app.sock', unix('/srv/app/app.sock')],
  ['unix:///srv/app/app.sock', unix('/srv/app/app.sock')],
  ['unix:app.sock', unix('./app.sock')],
  ['unix:~/app.sock', unix('~/app.sock')],
  ['unix//srv/app/app.sock', unix('/srv/app/app.sock')],
  ['unix/app.sock', unix('./app.sock')],
  ['unix/unix/app.sock', unix('./unix/app.sock')],
  [String.raw`/srv/a\:b.sock`, unix('/srv/a:b.sock')],
  ['[/srv/a:b.sock]', unix('/srv/a:b.sock')],
];

test('an endpoint is read in every spelling of ports, hosts and sockets', () => {
  for (const [text, endpoint] of readings) assert.deepEqual(parseEndpoint(text), endpoint, text);
});

test('a formatted endpoint is read back as the same endpoint', () => {
  for (const [text, endpoint] of readings) {
    assert.deepEqual(parseEndpoint(formatEndpoint(endpoint)), endpoint, text);
  }
});

test('an endpoint is shown with an IPv6 address in brackets and a path as it is', () => {
  assert.equal(formatEndpoint(tcp('localhost', 8081)), 'localhost:8081');
  assert.equal(formatEndpoint(tcp('::1', 80)), '[::1]:80');
  assert.equal(formatEndpoint(unix('/srv/app/app.sock')), '/srv/app/app.sock');
});

test('a text that is no endpoint is refused with code bad-endpoint and quoted', () => {
  for (const text of [
    '',
    'app.sock',
    'host:',
    ':80',
    'a:b:c',
    '::1',
    '[::1',
    '[::1]80',
    '0',
    '/srv/a.sock:80',
  ]) {
    assert.throws(
      () => parseEndpoint(text),
      (error) =>
        error instanceof UsageError && error.code === 'bad-endpoint' && error.message.includes(`"${text}"`),
      text,
    );
  }
});
