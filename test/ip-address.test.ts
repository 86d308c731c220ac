import assert from 'node:assert/strict';
import * as net from 'node:net';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isIPv4, isIPv6 } from '../src/ip-address.ts';

const group = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 0x1ffff }).map((number) => number.toString(16)) },
  { weight: 2, arbitrary: fc.constantFrom('', '0', '00', '::', 'FFFF', '%eth0', '%', ' ', ']', 'g') },
  fc.ipV4(),
);
const almost = fc
  .tuple(fc.array(group, { minLength: 1, maxLength: 9 }), fc.constantFrom(':', '.'))
  .map(([groups, separator]) => groups.join(separator));

test('the same is an address as for node:net', () => {
  fc.assert(
    fc.property(fc.oneof(almost, fc.ipV4(), fc.ipV6(), fc.ipV4Extended(), fc.string()), (text) => {
      assert.equal(isIPv4(text), net.isIPv4(text), text);
      assert.equal(isIPv6(text), net.isIPv6(text), text);
    }),
    { numRuns: 20_000 },
  );
});

const addresses = ['::', '1::', '::1', 'fe80::1%eth0', '::ffff:192.0.2.1', '1:2:3:4:5:6:7:8', '127.0.0.1'];
const others = ['', ':', '1', '1.2.3', '01.2.3.4', '256.1.1.1', '1.2.3.4:80', '[::1]', '::1%', ':::', 'a:b'];

for (const text of [...addresses, ...others]) {
  test(`"${text}" is an address only if it is one for node:net`, () => {
    assert.equal(isIPv4(text), net.isIPv4(text));
    assert.equal(isIPv6(text), net.isIPv6(text));
  });
}
