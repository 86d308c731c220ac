import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linuxRoute } from '../../src/wireguard/linux-route.ts';
import { macosRoute } from '../../src/wireguard/macos-route.ts';
import { peerOf } from '../../src/wireguard/report.ts';
import type { Answer, Ask } from '../../src/wireguard/system.ts';

/** Answers as was recorded; what begins with `!` was a failure. */
function recorded(answers: Readonly<Record<string, string>>): Ask {
  return async (command, ...args): Promise<Answer> => {
    const text = answers[[command, ...args].join(' ')];
    if (text === undefined) return { kind: 'missing' };
    return text.startsWith('!') ? { kind: 'failed', text: text.slice(1) } : { kind: 'output', text };
  };
}

const getRoute = 'ip -j route get 10.0.0.1';
const route = '[{"dst":"10.0.0.1","dev":"wg0","prefsrc":"10.0.0.2","flags":[],"uid":1000,"cache":[]}]';
const showLink = 'ip -j -d addr show dev wg0';

function link(changes: object = {}): string {
  const wg0 = {
    ifname: 'wg0',
    flags: ['POINTOPOINT', 'NOARP', 'UP', 'LOWER_UP'],
    linkinfo: { info_kind: 'wireguard' },
    addr_info: [{ family: 'inet', local: '10.0.0.2', prefixlen: 24 }],
  };
  // Old versions print an empty object for each interface that was not asked for.
  return JSON.stringify([{}, { ...wg0, ...changes }]);
}

test("the kernel's own WireGuard needs no name", async () => {
  const ask = recorded({ [getRoute]: route, [showLink]: link() });
  const up = { up: true, address: '10.0.0.1', interface: 'wg0', source: '10.0.0.2' };
  assert.deepEqual(await linuxRoute('10.0.0.1', undefined, ask), up);
  assert.deepEqual(await linuxRoute('10.0.0.1', 'wg0', ask), up);
});

const wrong: [string, string, string, RegExp][] = [
  [
    'a tap device',
    route,
    link({ linkinfo: { info_kind: 'tun', info_data: { type: 'tap' } } }),
    /not a WireGuard/,
  ],
  ['a link that is down', route, link({ flags: ['NOARP'] }), /through wg0, which is down$/],
  [
    'a source on another link',
    route,
    link({ addr_info: [] }),
    /has no address of this machine to send from$/,
  ],
  ['no interface', '[{"dst":"10.0.0.1"}]', link(), /does not say in JSON/],
  ['no JSON', '10.0.0.1 dev wg0 src 10.0.0.2', link(), /does not say in JSON/],
  ['another link than was asked for', route, link({ ifname: 'eth0' }), /does not say in JSON/],
  [
    'the ip of BusyBox',
    '!ip: unrecognized option: j\nBusyBox v1.36.1 () multi-call binary.',
    link(),
    /install iproute2$/,
  ],
  ['a time-out', '!no answer in 3000 ms', link(), /^ip route get: no answer in 3000 ms$/],
];
for (const [what, routeText, linkText, reason] of wrong) {
  test(`${what} is not taken for WireGuard`, async () => {
    const ask = recorded({ [getRoute]: routeText, [showLink]: linkText });
    const found = await linuxRoute('10.0.0.1', 'wg0', ask);
    assert.ok(!found.up);
    assert.match(found.reason, reason);
  });
}

const macosOutput = `   route to: 10.0.0.1
destination: 10.0.0.0
       mask: 255.255.255.0
  interface: utun4
      flags: <UP,DONE,CLONING,STATIC>
 recvpipe  sendpipe  ssthresh  rtt,msec    rttvar  hopcount      mtu     expire
       0         0         0         0         0         0      1420         0
`;
const macosGet = 'route -n get 10.0.0.1';
const utun4: Parameters<typeof macosRoute>[3] = {
  utun4: [
    {
      address: '10.0.0.2',
      netmask: '255.255.255.0',
      family: 'IPv4',
      mac: '00:00:00:00:00:00',
      internal: false,
      cidr: '10.0.0.2/24',
    },
  ],
};

test('on macOS a utun counts that wg lists, or that was named', async () => {
  const up = { up: true, address: '10.0.0.1', interface: 'utun4', source: '10.0.0.2' };
  const listed = recorded({ [macosGet]: macosOutput, 'wg show interfaces': 'utun3 utun4\n' });
  assert.deepEqual(await macosRoute('10.0.0.1', undefined, listed, utun4), up);
  const unlisted = recorded({ [macosGet]: macosOutput });
  assert.deepEqual(await macosRoute('10.0.0.1', 'utun4', unlisted, utun4), up);
  const found = await macosRoute('10.0.0.1', undefined, unlisted, utun4);
  assert.ok(!found.up);
  assert.match(
    found.reason,
    /which wg does not list; if it is WireGuard, say so: 10\.0\.0\.1,interface=utun4$/,
  );
});

test('on macOS an ordinary interface, and no route, are said', async () => {
  const ordinary = recorded({ [macosGet]: macosOutput.replace('utun4', 'en0') });
  const elsewhere = await macosRoute('10.0.0.1', undefined, ordinary, utun4);
  assert.deepEqual(elsewhere, {
    up: false,
    code: 'elsewhere',
    reason: 'the route to 10.0.0.1 is through en0, which is not a WireGuard interface',
    address: '10.0.0.1',
  });
  const other = await macosRoute('10.0.0.1', 'utun7', ordinary, utun4);
  assert.match(other.up ? '' : other.reason, /through en0: there is no interface utun7$/);
  const none = recorded({ [macosGet]: '!route: writing to routing socket: not in table' });
  const gone = await macosRoute('10.0.0.1', undefined, none, utun4);
  assert.match(gone.up ? '' : gone.reason, /^there is no route to 10\.0\.0\.1$/);
});

test('the handshake is that of the peer with the narrowest network around the address', () => {
  const peers = 'AAA=\t0.0.0.0/0 ::/0\nBBB=\t10.0.0.0/24\nCCC=\t10.0.0.1/32 fd00::1/128\nDDD=\t(none)\n';
  assert.equal(peerOf('10.0.0.1', peers), 'CCC=');
  assert.equal(peerOf('10.0.0.9', peers), 'BBB=');
  assert.equal(peerOf('203.0.113.1', peers), 'AAA=');
  assert.equal(peerOf('fd00::1', peers), 'CCC=');
  assert.equal(peerOf('10.0.0.1', 'DDD=\t(none)\n'), undefined);
});
