import assert from 'node:assert/strict';
import { PassThrough, type Duplex } from 'node:stream';
import { test, type TestContext } from 'node:test';
import type { Dialer, Endpoint } from '../../src/endpoint.ts';
import { DialError } from '../../src/errors.ts';
import { directFailure } from '../../src/wireguard/direct-dialer.ts';
import { failOver, namesOf, type FailOverOptions } from '../../src/wireguard/fail-over.ts';
import { Health } from '../../src/wireguard/health.ts';
import type { Path } from '../../src/wireguard/health-state.ts';
import { RouteGuard } from '../../src/wireguard/route-guard.ts';
import { routeDown, type Route } from '../../src/wireguard/route.ts';
import { until } from '../rig/until.ts';

/** The loopback interface stands for WireGuard's. */
const up: Route = { up: true, address: '127.0.0.1', interface: 'lo', source: '127.0.0.1' };
const down = routeDown('no-route', 'there is no interface wg0');

const web: Endpoint = { kind: 'tcp', host: 'localhost', port: 8081 };
const other: Endpoint = { kind: 'tcp', host: 'localhost', port: 8082 };

const opens: Dialer = async () => new PassThrough();
const fails =
  (code: string): Dialer =>
  async () => {
    throw new DialError(code, `It is ${code}`);
  };
const hangs: Dialer = (_endpoint, signal) =>
  new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error));
  });

interface Scene {
  readonly dial: (endpoint: Endpoint, signal?: AbortSignal) => Promise<Duplex>;
  readonly health: Health;
  /** The way of each connection that was opened. */
  readonly opened: Path[];
  /** Tells that the network has changed, with this as the route from now on. */
  readonly setRoute: (route: Route) => void;
}

function start(
  t: TestContext,
  direct: Dialer,
  options: Partial<FailOverOptions> = {},
  first: Route = up,
): Scene {
  let route = first;
  let changed = (): void => undefined;
  const guard = new RouteGuard({ host: '127.0.0.1' }, async () => route);
  const watch = (listener: () => void) => {
    changed = listener;
    return () => undefined;
  };
  const health = new Health({ guard, direct, watch, holdMs: 50, probeEveryMs: 20 });
  t.after(() => health.close());
  const opened: Path[] = [];
  const dial = failOver({ direct, ssh: opens, health, onOpen: (_, via) => opened.push(via), ...options });
  return {
    dial,
    health,
    opened,
    setRoute(now) {
      route = now;
      changed();
    },
  };
}

const away: [string, Endpoint][] = [
  ['a socket', { kind: 'unix', path: '/srv/app.sock' }],
  ['a third host', { kind: 'tcp', host: 'db.internal', port: 5432 }],
  ['another loopback address', { kind: 'tcp', host: '127.0.0.2', port: 5432 }],
];
for (const [what, endpoint] of away) {
  test(`${what} is reached over SSH with the VPN up`, async (t) => {
    const { dial, opened } = start(t, opens);
    await dial(endpoint);
    assert.deepEqual(opened, ['ssh']);
  });
}

test('the host under its own names is reached over the VPN', async (t) => {
  const { dial, opened } = start(t, opens, { isHost: namesOf('vps', 'VPS.example.com') });
  for (const host of ['localhost', '127.0.0.1', '::1', 'vps', 'vps.example.com'])
    await dial({ kind: 'tcp', host, port: 80 });
  assert.deepEqual(
    opened,
    Array.from({ length: 5 }, () => 'wireguard'),
  );
});

test('a dial that is pending when the VPN goes away is moved over to SSH', async (t) => {
  const { dial, health, opened, setRoute } = start(t, hangs);
  await health.ready;
  const pending = dial(web);
  setRoute(down);
  await pending;
  assert.deepEqual(opened, ['ssh']);
  assert.equal(health.status().reason, 'there is no interface wg0');
});

test('a dial that the caller gives up is not moved over', async (t) => {
  const { dial, health, opened } = start(t, hangs);
  await health.ready;
  const giveUp = new AbortController();
  const pending = dial(web, giveUp.signal);
  giveUp.abort(new Error('enough'));
  await assert.rejects(pending, /enough/);
  assert.deepEqual(opened, []);
  assert.equal(health.via, 'wireguard');
});

test('the VPN is used again when it has been back for a while, and each change is told', async (t) => {
  const { health, setRoute } = start(t, opens);
  const changes: Path[] = [];
  health.onChange(({ via }) => changes.push(via));
  await health.ready;
  setRoute(down);
  await until('ssh is used', () => health.via === 'ssh');
  setRoute(up);
  await until('wireguard is used', () => health.via === 'wireguard');
  assert.deepEqual(changes, ['wireguard', 'ssh', 'wireguard']);
});

test('a port behind a firewall does not take the VPN from the others', async (t) => {
  const direct: Dialer = (endpoint, signal) =>
    (endpoint.kind === 'tcp' && endpoint.port === 8082 ? fails(directFailure.silent) : opens)(
      endpoint,
      signal,
    );
  const { dial, health, opened } = start(t, direct);
  await dial(web);
  await dial(other);
  await dial(other);
  await dial(web);
  assert.deepEqual(opened, ['wireguard', 'ssh', 'ssh', 'wireguard']);
  assert.equal(health.via, 'wireguard');
});

test('a host that is silent on every port takes new connections to SSH', async (t) => {
  const { dial, health, opened } = start(t, fails(directFailure.silent));
  await dial(web);
  assert.equal(health.via, 'ssh');
  assert.deepEqual(opened, ['ssh']);
});

test('where nothing listens on either way the error is that of SSH, and the VPN is tried again', async (t) => {
  let dials = 0;
  const direct: Dialer = (endpoint, signal) => {
    dials += 1;
    return fails(directFailure.refused)(endpoint, signal);
  };
  const { dial, health } = start(t, direct, { ssh: fails('over-ssh') });
  await assert.rejects(dial(web), { code: 'over-ssh' });
  await assert.rejects(dial(web), { code: 'over-ssh' });
  assert.equal(dials, 2);
  assert.equal(health.via, 'wireguard');
});

test('--via ssh never uses the VPN', async (t) => {
  const { dial, opened } = start(t, opens, { via: 'ssh' });
  await dial(web);
  assert.deepEqual(opened, ['ssh']);
});

test('--via wireguard fails where SSH would have been used instead, and says why', async (t) => {
  const direct = fails(directFailure.down);
  const { dial, opened } = start(t, direct, { via: 'wireguard' }, down);
  await assert.rejects(dial(web), { code: directFailure.down });
  assert.deepEqual(opened, []);
  await dial({ kind: 'unix', path: '/srv/app.sock' });
  assert.deepEqual(opened, ['ssh']);
});
