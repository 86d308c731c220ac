import type { ForwardSpec } from '../../spec.ts';
import type { WireguardAddress } from '../../wireguard/address.ts';
import { reportWireguard } from '../../wireguard/report.ts';
import { ok, warning, type Outcome, type Report } from './finding.ts';

/** A VPN that says nothing for longer than WireGuard's own limit for a session key has lost its peer. */
const STALE_HANDSHAKE_SECONDS = 180;

/** The way through the VPN. That it is down is no failure: SSH is the other way. */
export async function checkWireguard(
  vpn: WireguardAddress,
  forwards: readonly ForwardSpec[],
  report: Report,
): Promise<void> {
  const ports = forwards.flatMap((spec) =>
    spec.kind === 'local' && spec.connect.kind === 'tcp' ? [spec.connect.port] : [],
  );
  await report.step('wireguard', async () => {
    const { route, handshake, ports: reached } = await reportWireguard(vpn, ports);
    if (!route.up) return warning(`WireGuard is not used: ${route.reason}`);
    const silent = reached.filter(({ reachable }) => !reachable).map(({ port }) => port);
    const facts = [
      ...(handshake === undefined ? [] : [shakenHands(handshake)]),
      ...(silent.length === 0 ? [] : [`Not reachable there, so over SSH: ${silent.join(', ')}`]),
    ];
    const what = `The route to ${route.address} is through ${route.interface}`;
    return isStale(handshake) ? warning(what, facts) : ok(what, facts);
  });
}

type Handshake = Awaited<ReturnType<typeof reportWireguard>>['handshake'];

function isStale(handshake: Handshake): boolean {
  if (handshake === undefined) return false;
  return handshake === 'never' || handshake.secondsAgo > STALE_HANDSHAKE_SECONDS;
}

function shakenHands(handshake: NonNullable<Handshake>): Outcome['what'] {
  return handshake === 'never'
    ? 'The peer has never answered: is it up, and are the keys right?'
    : `The last handshake was ${handshake.secondsAgo} s ago`;
}
