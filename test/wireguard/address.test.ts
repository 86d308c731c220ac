import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../../src/errors.ts';
import { formatWireguard, parseWireguard, type WireguardAddress } from '../../src/wireguard/address.ts';

const readings: [string, WireguardAddress, string?][] = [
  ['10.0.0.1', { host: '10.0.0.1' }],
  ['vps.internal', { host: 'vps.internal' }],
  ['fd00::1', { host: 'fd00::1' }],
  ['[fd00::1]', { host: 'fd00::1' }, 'fd00::1'],
  ['10.0.0.1,interface=wg0', { host: '10.0.0.1', interface: 'wg0' }],
  ['fd00::1,interface=utun4', { host: 'fd00::1', interface: 'utun4' }],
];
for (const [text, address, written = text] of readings) {
  test(`${text} is read, and written again`, () => {
    assert.deepEqual(parseWireguard(text), address);
    assert.equal(formatWireguard(address), written);
  });
}

const refused: [string, RegExp][] = [
  ['', /an address inside the VPN is missing/],
  [',interface=wg0', /an address inside the VPN is missing/],
  ['10.0.0.1:8081', /an address without a port is wanted/],
  ['10.0.0.0/24', /one address is wanted, not a network/],
  ['10.0.0', /not a host name or an IP address/],
  ['deploy@10.0.0.1', /a user name has no place here/],
  ['fe80::1%wg0', /cannot be used/],
  ['-oProxyCommand=x', /not a host name/],
  ['10.0.0.1,wg0', /"wg0" is not a setting; write ADDRESS,interface=wg0/],
  ['10.0.0.1,interface=', /"" is not the name of an interface/],
  ['10.0.0.1,interface=-j', /"-j" is not the name of an interface/],
  ['10.0.0.1,interface=wg0/../x', /is not the name of an interface/],
  ['10.0.0.1,interface=a-name-of-17-char', /is not the name of an interface/],
  ['10.0.0.1,interface=wg0,interface=wg1', /there is one setting only/],
];
for (const [text, reason] of refused) {
  test(`${JSON.stringify(text)} is refused, and says what would be right`, () => {
    assert.throws(
      () => parseWireguard(text),
      (error) => error instanceof UsageError && error.code === 'bad-wireguard' && reason.test(error.message),
    );
  });
}
