import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectLabel, listenLabel, localUrl } from '../../src/session/labels.ts';
import type { Forward } from '../../src/forward/forward.ts';
import { parseDynamicSpec, parseRemoteSpec } from '../../src/parse-spec.ts';
import type { ForwardSpec } from '../../src/spec.ts';
import { forwardTo, tcp, unix } from '../cli/output/fakes.ts';

test('a listener on both loopback addresses is called localhost', () => {
  assert.equal(localUrl(forwardTo(tcp('localhost', 3000))), 'http://localhost:8081');
});

test('an address that was written is shown as it is', () => {
  const listen = { kind: 'tcp', host: '::1', port: 8080 } as const;
  assert.equal(localUrl(forwardTo(tcp('localhost', 80), listen, [tcp('::1', 8080)])), 'http://[::1]:8080');
});

test('a listener on every interface is reached as localhost from here', () => {
  const listen = { kind: 'tcp', host: '*', port: 8080 } as const;
  assert.equal(localUrl(forwardTo(tcp('localhost', 80), listen, [tcp('::', 8080)])), 'http://localhost:8080');
});

test('an automatic port is shown as the port that was taken', () => {
  const listen = { kind: 'tcp', port: 'auto' } as const;
  assert.equal(
    localUrl(forwardTo(unix('/srv/app.sock'), listen, [tcp('127.0.0.1', 40123)])),
    'http://localhost:40123',
  );
});

for (const port of [22, 25, 3306, 5432, 6379]) {
  test(`there is no URL for port ${port}, which does not speak HTTP`, () => {
    const forward = forwardTo(tcp('db.internal', port));
    assert.equal(localUrl(forward), undefined);
    assert.equal(listenLabel(forward), 'localhost:8081');
  });
}

for (const path of ['/run/postgresql/.s.PGSQL.5432', '/run/mysqld/mysqld.sock', '~/redis.sock']) {
  test(`there is no URL for ${path}, which does not speak HTTP`, () => {
    assert.equal(localUrl(forwardTo(unix(path))), undefined);
  });
}

test('a socket of an app in a folder named like a database still has a URL', () => {
  assert.equal(localUrl(forwardTo(unix('/srv/redis-admin/app.sock'))), 'http://localhost:8081');
});

test('the port of HTTPS has an https URL', () => {
  assert.equal(localUrl(forwardTo(tcp('localhost', 443))), 'https://localhost:8081');
});

test('a local socket is shown by its path and has no URL', () => {
  const forward = forwardTo(tcp('localhost', 80), { kind: 'unix', path: './a.sock' }, [unix('./a.sock')]);
  assert.equal(localUrl(forward), undefined);
  assert.equal(listenLabel(forward), './a.sock');
});

function forwardOf(spec: ForwardSpec): Forward {
  return { ...forwardTo(tcp('localhost', 80)), spec, bound: [spec.listen] };
}

test('a SOCKS proxy here has a URL that leaves names to the far end', () => {
  const forward = forwardOf(parseDynamicSpec('1080'));
  assert.equal(listenLabel(forward), 'socks5h://localhost:1080');
  assert.equal(connectLabel(forward), 'anywhere from there');
});

test('a remote forward says what is there and what is here', () => {
  const forward = forwardOf(parseRemoteSpec('9000:localhost:3000'));
  assert.equal(localUrl(forward), undefined);
  assert.equal(listenLabel(forward), 'localhost:9000 there');
  assert.equal(connectLabel(forward), 'localhost:3000 here');
});

test('a remote SOCKS proxy says from where it connects', () => {
  assert.equal(connectLabel(forwardOf(parseRemoteSpec('1080'))), 'anywhere from here (SOCKS)');
});
