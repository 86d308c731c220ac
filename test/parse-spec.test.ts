import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Endpoint, UnixEndpoint } from '../src/endpoint.ts';
import { UsageError } from '../src/errors.ts';
import { parseDynamicSpec, parseRemoteSpec, parseSpec } from '../src/parse-spec.ts';
import { type ForwardSpec, formatSpec, type Listen } from '../src/spec.ts';
import { dynamicReadings, localReadings, on, remoteReadings, tcp, unix } from './spec-readings.ts';

const parse = { local: parseSpec, dynamic: parseDynamicSpec, remote: parseRemoteSpec } as const;
const kinds = ['local', 'dynamic', 'remote'] as const;

test('every spelling of a spec is read as what it means', () => {
  for (const { text, spec } of [...localReadings, ...dynamicReadings, ...remoteReadings])
    assert.deepEqual(parse[spec.kind](text), spec, `${spec.kind} ${text}`);
});

type Refusals = readonly (readonly [text: string, advice: string])[];

/** What is wrong, and a part of the advice. */
const localRefusals: Refusals = [
  ['', 'write 8081'],
  [':', 'missing after the last colon'],
  ['8081:', 'a port or socket is missing after the colon; write 8081 or 8081:localhost:3000'],
  ['8080:host:', 'missing after the last colon'],
  ['0', 'for a free local port write auto in front, as in auto:3000'],
  ['00', 'write auto'],
  ['0:3000', '0 is not a port; for a free one write auto'],
  ['127.0.0.1:0:h:80', '0 is not a port; for a free one write auto'],
  ['8080:0', '0 is not a port; write a number from 1 to 65535'],
  ['8080:h:0', '0 is not a port; write a number from 1 to 65535'],
  ['h:0', '0 is not a port; write a number from 1 to 65535'],
  ['65536', '1 to 65535'],
  ['99999:80', '1 to 65535'],
  ['8080:host:65536', '1 to 65535'],
  ['9'.repeat(400), '1 to 65535'],
  ['+80', '"+80" is not a port'],
  ['-80', '"-80" is not a port'],
  ['+80:3000', '"+80" is not a port'],
  ['80.5', 'is not a port'],
  ['8o81', 'is not a port'],
  ['8080:3000x', 'is not a port'],
  ['8080:host:http', '"http" is not a port'],
  [' 8081', 'neither a port'],
  ['8081 ', 'is not a port'],
  ['app.sock', './app.sock or unix:app.sock'],
  ['8080:app.sock', './app.sock or unix:app.sock'],
  ['unix', './unix'],
  ['unix:', 'the path of a socket is missing'],
  ['unix/', 'the path of a socket is missing'],
  ['8080:unix:', 'the path of a socket is missing'],
  ['auto', 'auto:3000'],
  ['auto:', 'missing after the colon'],
  ['8080:auto', 'auto is not a port'],
  ['*:8080', '*:8080:localhost:8080'],
  [':8080', 'write 8080, or *:8080:localhost:8080 to listen on every interface'],
  ['8080:*:80', 'cannot be connected to'],
  ['127.0.0.1:8080:3000', '127.0.0.1:8080:localhost:3000'],
  ['[::1]:8080:3000', '[::1]:8080:localhost:3000'],
  ['8080:3000:80', '3000 is not a host name'],
  ['8080:1.2.3.999:80', '1.2.3.999 is not a host name'],
  ['8080::80', 'a host is missing'],
  ['vps:/srv/app.sock', '"vps" is not a local port'],
  [':/srv/app.sock', 'a local port is missing'],
  ['/srv/a.sock:/srv/b.sock:80', 'is not a host name'],
  ['::1', 'IPv6 address in brackets'],
  ['::1:8080:host:80', 'as in [::1]:8080'],
  ['[::1', 'closing bracket'],
  ['[::1]8080', 'colon must follow'],
  ['[]:80', 'a host is missing'],
  ['[nonsense:1]:80', 'is not an IPv6 address'],
  ['[*]:80', 'cannot be connected to'],
  ['1:2:3:4:5', 'too many colons'],
  ['a:b:c:d', '"b" is not a port'],
  ['8080:deploy@host:80', 'a user name'],
  ['8080:ho st:80', '"ho st" is not a host name'],
  ['8080:-oProxyCommand=x:80', 'is not a host name'],
  [`8080:${'h'.repeat(254)}:80`, '253'],
  ['http://localhost:3000', 'a URL'],
  ['/srv/app/', 'is a folder'],
  ['/', 'is a folder'],
  ['~deploy/app.sock', 'write the full path'],
  [`/${'x'.repeat(107)}`, 'at most 107 bytes'],
  ['/srv/app.sock\\', 'backslash'],
  ['/srv/\u0007.sock', 'control characters'],
  ['8081\n', 'control characters'],
];

const dynamicRefusals: Refusals = [
  ['', 'write 8081'],
  [':', 'alone, as in 1080'],
  ['0', '0 is not a port'],
  ['127.0.0.1:0', '0 is not a port'],
  ['65536', '1 to 65535'],
  ['*:65536', '1 to 65535'],
  ['-1', '"-1" is not a port'],
  ['*', '"*" is not a port'],
  ['socks', '"socks" is not a port'],
  ['socks:', 'alone, as in 1080'],
  ['1080:', 'alone, as in 1080'],
  ['8080:1080', '8080 is not a host name'],
  ['1080:localhost:80', 'alone, as in 1080'],
  ['127.0.0.1:1080:localhost:80', 'alone, as in 1080'],
  ['1080:/srv/app.sock', 'alone, as in 1080'],
  ['/socks.sock:80', 'alone, as in 1080'],
  ['::1', 'alone, as in 1080'],
  ['::1:1080', 'alone, as in 1080'],
  ['[*]:1080', 'cannot be connected to'],
  ['[::1', 'closing bracket'],
  ['[]:1080', 'a host is missing'],
  ['1.2.3:1080', '1.2.3 is not a host name'],
  ['deploy@host:1080', 'a user name'],
  ['/srv/', 'is a folder'],
  ['~deploy/socks.sock', 'write the full path'],
  ['socks5://localhost:1080', 'alone, as in 1080'],
  ['http://localhost:1080', 'a URL'],
  ['1080\n', 'control characters'],
];

const remoteRefusals: Refusals = [
  ['', 'write 8081'],
  [':', 'missing after the last colon'],
  ['9000:', 'a port or socket is missing after the colon'],
  ['9000:h:', 'missing after the last colon'],
  ['/there.sock:', 'missing after the last colon'],
  ['65536', '1 to 65535'],
  ['-1', '"-1" is not a port'],
  ['*', '"*" is not a port'],
  ['h', '"h" is not a port'],
  ['9000:0', '0 is not a port'],
  ['0:0', '0 is not a port'],
  ['9000:h:0', '0 is not a port'],
  ['/there.sock:0', '0 is not a port'],
  ['127.0.0.1:9000:h:0', '0 is not a port'],
  ['9000:0:80', '0 is not a host name'],
  ['0:0:80', '0 is not a host name'],
  ['/there.sock:0:80', '0 is not a host name'],
  ['9000:0:h:80', '0 is not a port'],
  ['9000:auto', 'auto is not a port'],
  ['h:/here.sock', '"h" is not a'],
  ['127.0.0.1:9000:3000', '127.0.0.1:9000:localhost:3000'],
  ['9000:*:80', 'cannot be connected to'],
  ['9000::80', 'a host is missing'],
  ['[*]:9000', 'cannot be connected to'],
  ['::1:9000:h:80', 'as in [::1]:8080'],
  ['1:2:3:4:5', 'too many colons'],
  ['9000:deploy@h:80', 'a user name'],
  ['/srv/', 'is a folder'],
  ['9000:/srv/', 'is a folder'],
  ['9000:http', 'http is not a port'],
  ['http://localhost:3000', 'a URL'],
  ['9000\n', 'control characters'],
];

test('a bad spec is refused with code bad-spec, the word in quotes and what would be right', () => {
  const refusals = { local: localRefusals, dynamic: dynamicRefusals, remote: remoteRefusals };
  for (const kind of kinds) {
    for (const [text, advice] of refusals[kind]) assertRefused(() => parse[kind](text), text, advice);
  }
});

function assertRefused(read: () => ForwardSpec, text: string, advice: string): void {
  const start = /\p{Cc}/u.test(text) ? '"' : `"${text.slice(0, 200)}`;
  assert.throws(
    read,
    (error) => {
      assert.ok(error instanceof UsageError, `${text}: ${String(error)}`);
      assert.equal(error.code, 'bad-spec');
      assert.equal(error.exitStatus, 2);
      assert.ok(error.message.startsWith(start), error.message);
      assert.ok(error.message.includes(advice), `${error.message} has not: ${advice}`);
      assert.doesNotMatch(error.message, /\p{Cc}/u);
      return true;
    },
    text,
  );
}

const port = fc.integer({ min: 1, max: 65_535 });
const label = fc.stringMatching(/^[a-z0-9_]([a-z0-9_-]{0,20}[a-z0-9])?$/);
const name = fc
  .oneof(
    fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.')),
    fc.constantFrom('unix', 'auto', 'localhost'),
  )
  .filter((host) => !/^[\d.]+$/.test(host));
const address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant('fe80::1%eth0'));
const host = fc.oneof(name, address);
const pathText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.string({
    unit: fc.constantFrom(':', '\\', '[', ']', '/', '~', '.', 'unix:', 'unix/', 'a', '80'),
    maxLength: 12,
  }),
);
const socket: fc.Arbitrary<UnixEndpoint> = fc
  .tuple(fc.constantFrom('/', './', '~/', '../', 'app/', '[x/', 'unix:/'), pathText)
  .map(([start, rest]) => start + rest)
  .filter((path) => !/\p{Cc}|\/$|^\/\/|^~[^/]/u.test(path) && Buffer.byteLength(path) <= 107)
  .map(unix);
const endpoint: fc.Arbitrary<Endpoint> = fc.oneof(
  host.chain((to) => port.map((at) => tcp(to, at))),
  socket,
);
const bindHost = fc.option(
  fc.oneof(
    host.filter((bind) => bind !== 'localhost'),
    fc.constant('*'),
  ),
  { nil: undefined },
);
const listen: fc.Arbitrary<Listen> = fc.oneof(
  fc.tuple(fc.oneof(port, fc.constant('auto' as const)), bindHost).map(([at, bind]) => on(at, bind)),
  socket,
);
const plain = { noNullPrototype: true };
const specs = {
  local: fc.record({ kind: fc.constant('local' as const), listen, connect: endpoint }, plain),
  dynamic: fc.record({ kind: fc.constant('dynamic' as const), listen }, plain),
  remote: fc.record(
    {
      kind: fc.constant('remote' as const),
      listen,
      connect: fc.oneof(
        { weight: 3, arbitrary: endpoint },
        { weight: 1, arbitrary: fc.constant('socks' as const) },
      ),
    },
    plain,
  ),
};

for (const kind of kinds) {
  test(`any valid ${kind} spec is read back from its formatted form`, () => {
    fc.assert(
      fc.property(specs[kind], (original: ForwardSpec) => {
        assert.deepEqual(parse[kind](formatSpec(original)), original);
      }),
      { numRuns: 2_000 },
    );
  });
}

const pieces = [
  '8080',
  '0',
  '65535',
  'auto',
  'localhost',
  'db.internal',
  '*',
  ':',
  ':',
  ':',
  '/',
  '/srv/app.sock',
];
const morePieces = [
  '~/a',
  './b',
  'unix:',
  'unix/',
  '[',
  ']',
  '[::1]',
  '::1',
  '\\',
  '%',
  ' ',
  '-',
  '@',
  'x',
  '\u0000',
];
const specLike = fc.string({ unit: fc.constantFrom(...pieces, ...morePieces), maxLength: 9 });

for (const kind of kinds) {
  test(`any text after the letter of a ${kind} forward is refused with a UsageError or has a canonical form that stays the same`, () => {
    let read = 0;
    fc.assert(
      fc.property(
        fc.oneof({ weight: 4, arbitrary: specLike }, { weight: 1, arbitrary: fc.string() }),
        (text) => {
          let parsed: ForwardSpec;
          try {
            parsed = parse[kind](text);
          } catch (error) {
            assert.ok(error instanceof UsageError, String(error));
            return;
          }
          read++;
          const canonical = formatSpec(parsed);
          assert.deepEqual(parse[kind](canonical), parsed);
          assert.equal(formatSpec(parse[kind](canonical)), canonical);
        },
      ),
      { numRuns: 10_000 },
    );
    assert.ok(read > 100, `only ${read} of the texts were specs`);
  });
}
