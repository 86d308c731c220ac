import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { UsageError } from '../../src/errors.ts';
import { compileRoutes } from '../../src/proxy/compile-routes.ts';
import { formatRoute, parseRoute, type Route } from '../../src/proxy/route.ts';

const home = { kind: 'unix', path: '~/api/app.sock' } as const;

const readings: [string, Route][] = [
  ['/api/*=~/api/app.sock', { path: '/api/*', upstream: home }],
  ['api.localhost/api/*=~/api/app.sock', { host: 'api.localhost', path: '/api/*', upstream: home }],
  ['*.VPS.localhost/=5000', { host: '*.vps.localhost', path: '/', upstream: tcp('localhost', 5000) }],
  ['/*=db.internal:80', { path: '/', upstream: tcp('db.internal', 80) }],
  ['/=[::1]:80', { path: '/', upstream: tcp('::1', 80) }],
  ['/=./webroot', { path: '/', upstream: { kind: 'folder', path: './webroot' } }],
  ['/=webroot/', { path: '/', upstream: { kind: 'folder', path: 'webroot' } }],
  ['/=.,spa', { path: '/', upstream: { kind: 'folder', path: '.', spa: true } }],
  ['/a/*=5000,keep-prefix', { path: '/a/*', upstream: tcp('localhost', 5000), keepPrefix: true }],
  ['/=unix:/run/app/server', { path: '/', upstream: { kind: 'unix', path: '/run/app/server' } }],
  ['/=unix//run/app.sock', { path: '/', upstream: { kind: 'unix', path: '/run/app.sock' } }],
  ['/x=y/a=b/', { path: '/x', upstream: { kind: 'folder', path: 'y/a=b' } }],
];
for (const [text, route] of readings) {
  test(`${text} is read`, () => assert.deepEqual(parseRoute(text), route));
}

const refusals: [string, RegExp][] = [
  ['/api/*', /after an equals sign/],
  ['=5000', /a path is missing; write \/=/],
  ['api.localhost=5000', /write api\.localhost\/=/],
  ['/api/*=', /an upstream is missing/],
  ['localhost:80/=5000', /a port has no place here/],
  ['a b/=5000', /is not a host name/],
  ['/a?b=5000', /no query/],
  ['/a%zz=5000', /must begin an escape/],
  ['/=5000,spa', /local folder only/],
  ['/=http://localhost:3000', /a URL is not understood/],
  ['/=99999', /too large for a port/],
  ['/=~root/www', /not the home of another user/],
  ['/\u0007=5000', /control characters/],
];
for (const [text, why] of refusals) {
  test(`${JSON.stringify(text)} is refused with what would be right`, () => {
    assert.throws(
      () => parseRoute(text),
      (error) => error instanceof UsageError && error.code === 'bad-route' && why.test(error.message),
    );
  });
}

test('every route is read back from its own text', () => {
  const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
  const segment = fc.oneof(
    fc.stringMatching(/^[\w.~,:\\ =+-]{1,12}$/),
    fc.constantFrom('a,spa', String.raw`a\,spa`, 'a,keep-prefix,spa', 'app.sock', 'unix', '.sock', 'a\\'),
  );
  const folder = fc
    .tuple(fc.constantFrom('', './', '/', '~/', '../'), fc.array(segment, { minLength: 1, maxLength: 3 }))
    .map(([start, parts]) => start + parts.join('/'))
    .filter((path) => !/^(?:~[^/]|unix(?:[:/]|$))/.test(path));
  const route = fc.record(
    {
      host: fc.tuple(fc.constantFrom('', '*.'), label).map(([star, name]) => `${star}${name}.localhost`),
      path: fc.stringMatching(/^\/[a-z*/._-]{0,12}$/).filter((path) => path !== '/*'),
      upstream: fc.oneof(
        fc.tuple(label, fc.integer({ min: 1, max: 65_535 })).map(([host, port]) => tcp(host, port)),
        folder.map((path) => ({
          kind: 'unix' as const,
          path: /^(?:\.{0,2}|~)\//.test(path) ? path : `./${path}`,
        })),
        folder.map((path) => ({ kind: 'folder' as const, path })),
      ),
      keepPrefix: fc.constant(true),
    },
    { requiredKeys: ['path', 'upstream'], noNullPrototype: true },
  );
  fc.assert(fc.property(route, (one) => assert.deepEqual(parseRoute(formatRoute(one as Route)), one)));
});

test('routes are tried by host, and then the longest path first', () => {
  const routes = ['/=1', '/api/*=2', '/api/v1/*=3', '/api/v1=4', 'a.localhost/=5', '*.localhost/x=6'];
  assert.deepEqual(
    compileRoutes(routes.map(parseRoute)).map(({ name }) => name?.replace(/.* → /, '')),
    ['5', '6', '3', '4', '2', '1'],
  );
});

test('two routes with the same host and path are refused', () => {
  assert.throws(() => compileRoutes(['/a=1', '/A=2'].map(parseRoute)), { code: 'route-twice' });
});

test('a folder that is not there is refused, with how a socket would be written', () => {
  const refusal = {
    code: 'route-folder',
    hint: ['If it is a socket on the remote, write /a/*=unix:/no/app'],
  };
  assert.throws(() => compileRoutes([parseRoute('/a/*=/no/app')]), refusal);
});

function tcp(host: string, port: number): Route['upstream'] {
  return { kind: 'tcp', host, port };
}
