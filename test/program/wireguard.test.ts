import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../rig/servers.ts';
import type { Tunnel } from '../rig/tunnel.ts';
import { until } from '../rig/until.ts';
import { startVpnHost, type VpnHost } from './vpn-host.ts';

/** From then on no new request may fail. */
const TAKEN_OVER_MS = 2000;

const PAGE = /<title>/;

function ways({ events }: Tunnel): string[] {
  return events.filter(({ event }) => event === 'via').map(({ via }) => String(via));
}

async function statusOf({ rig, net }: VpnHost): Promise<{ state: string; via: string; viaReason?: string }> {
  const { binary } = await import('../rig/tunnel.ts');
  const result = await rig.run([...net.near.prefix, process.execPath, binary, 'status', 'vps', '--json']);
  return JSON.parse(result.stdout) as { state: string; via: string };
}

interface Asked {
  readonly at: number;
  readonly succeeded: boolean;
}

/** Asks for the page again and again, each time over a new connection. */
function client(host: VpnHost, url: string): { stop: () => Promise<Asked[]> } {
  const stopping = new AbortController();
  const outcomes: Promise<Asked>[] = [];
  const asking = (async () => {
    while (!stopping.signal.aborted) {
      const at = performance.now();
      outcomes.push(host.get(url).then((page) => ({ at, succeeded: PAGE.test(page) })));
      await sleep(50);
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await asking;
      return await Promise.all(outcomes);
    },
  };
}

test('with the VPN up a page and its API come through it, and nothing connects to sshd', async (t) => {
  const host = await startVpnHost(t);
  if (host === undefined) return;
  const port = await freePort();
  const tunnel = await host.tunnel('--json', '--wireguard', host.vpn, 'vps', `${port}:${host.web}`);
  const { via } = await tunnel.waitForEvent('ready');
  assert.equal(via, 'wireguard');
  assert.match(await host.get(`http://localhost:${port}/`), PAGE);
  assert.match(await host.get(`http://localhost:${port}/api/hello`), /"app":"vpn"/);
  assert.deepEqual(host.sshConnections(), []);
  const { state, viaReason } = await statusOf(host);
  assert.equal(state, 'ready');
  assert.match(viaReason ?? '', /through/);
});

test('the VPN goes and comes ten times under a client: SSH takes over, and gives back, under the same URL', async (t) => {
  const host = await startVpnHost(t);
  if (host === undefined) return;
  const port = await freePort();
  const tunnel = await host.tunnel(
    '--json',
    '--standby',
    '--wireguard',
    host.vpn,
    'vps',
    `${port}:${host.web}`,
  );
  await tunnel.waitForEvent('ready', () => ways(tunnel).at(-1) === 'wireguard');
  const url = `http://localhost:${port}/`;
  for (let round = 0; round < 10; round++) {
    const asking = client(host, url);
    await sleep(200);
    await host.net.near.down();
    const down = performance.now();
    await until('SSH has taken over', () => ways(tunnel).at(-1) === 'ssh');
    await sleep(TAKEN_OVER_MS);
    const lost = (await asking.stop()).filter(({ succeeded }) => !succeeded);
    // What was in flight may fail.
    assert.deepEqual(
      lost.filter(({ at }) => at > down + TAKEN_OVER_MS),
      [],
    );
    await host.net.near.up();
    await until('it is back on WireGuard', () => ways(tunnel).at(-1) === 'wireguard', { timeoutMs: 20_000 });
    assert.match(await host.get(url), PAGE);
  }
  assert.equal(ways(tunnel).length, 21);
});

test('with the VPN down no byte reaches whoever has its address on the ordinary link, and SSH is used', async (t) => {
  const host = await startVpnHost(t);
  if (host === undefined) return;
  const impostor = await host.net.impostor([host.web]);
  await host.net.near.down();
  const port = await freePort();
  const tunnel = await host.tunnel('--json', '--wireguard', host.vpn, 'vps', `${port}:${host.web}`);
  const { via } = await tunnel.waitForEvent('ready');
  assert.equal(via, 'ssh');
  for (let request = 0; request < 20; request++) {
    assert.match(await host.get(`http://localhost:${port}/`), PAGE);
  }
  const { payload, received } = impostor.seen;
  assert.deepEqual([payload, received], [0, 0]);
});

test('a socket goes over SSH through the VPN, under the host key of the host itself', async (t) => {
  const host = await startVpnHost(t);
  if (host === undefined) return;
  const port = await freePort();
  const tunnel = await host.tunnel('--json', '--wireguard', host.vpn, 'vps', `${port}:${host.socket}`);
  await tunnel.waitForEvent('forward');
  assert.match(await host.get(`http://localhost:${port}/hello`), /"app":"vpn"/);
  assert.deepEqual(host.sshConnections(), [host.net.far.vpnAddress]);
  await host.net.near.down();
  await until('it is connected anew', () => host.sshConnections().length === 2);
  assert.equal(host.sshConnections()[1], host.net.far.publicAddress);
  await until('it answers', async () => /"app":"vpn"/.test(await host.get(`http://localhost:${port}/hello`)));
});

test('--via ssh leaves the VPN alone, and --via wireguard takes nothing else for a port of the host', async (t) => {
  const host = await startVpnHost(t);
  if (host === undefined) return;
  const [over, direct] = [await freePort(), await freePort()];
  const ssh = await host.tunnel(
    '--json',
    '--via',
    'ssh',
    '--wireguard',
    host.vpn,
    'vps',
    `${over}:${host.web}`,
  );
  await ssh.waitForEvent('ready', ({ via }) => via === 'ssh');
  assert.match(await host.get(`http://localhost:${over}/`), PAGE);
  assert.equal(host.sshConnections().length, 1);
  await ssh.interrupt();

  const args = ['--json', '--via', 'wireguard', '--wireguard', host.vpn, 'vps', `${direct}:${host.web}`];
  const wireguard = await host.tunnel(...args);
  await wireguard.waitForEvent('ready', ({ via }) => via === 'wireguard');
  assert.match(await host.get(`http://localhost:${direct}/`), PAGE);
  await host.net.near.down();
  await wireguard.waitForEvent('via', ({ via }) => via === 'ssh');
  assert.equal(await host.get(`http://localhost:${direct}/`), '');
});

for (const [trouble, vpn, said] of [
  ['an interface that does not exist', '10.99.0.1,interface=nowhere0', /nowhere0/],
  ['a name that does not resolve', 'nobody.invalid', /nobody\.invalid/],
] as const) {
  test(`${trouble} is said in status, and SSH is used`, async (t) => {
    const host = await startVpnHost(t);
    if (host === undefined) return;
    const port = await freePort();
    const tunnel = await host.tunnel('--json', '--wireguard', vpn, 'vps', `${port}:${host.web}`);
    await tunnel.waitForEvent('ready', ({ via }) => via === 'ssh');
    assert.match(await host.get(`http://localhost:${port}/`), PAGE);
    assert.match((await statusOf(host)).viaReason ?? '', said);
  });
}

test('an IPv6 address in the VPN is as good as one of IPv4', async (t) => {
  const host = await startVpnHost(t);
  if (host === undefined) return;
  const port = await freePort();
  const vpn = `${host.net.far.vpnAddress6},interface=${host.net.near.interface}`;
  const tunnel = await host.tunnel('--json', '--wireguard', vpn, 'vps', `${port}:${host.web}`);
  await tunnel.waitForEvent('ready', ({ via }) => via === 'wireguard');
  assert.match(await host.get(`http://localhost:${port}/`), PAGE);
  assert.deepEqual(host.sshConnections(), []);
});
