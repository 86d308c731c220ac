import { createHash } from 'node:crypto';
import { chosenForwards, isOn } from '../config/forwards.ts';
import type { Destination, HostSettings, SshFlags } from '../config/settings.ts';
import { resolveSettings } from '../config/ssh-config.ts';
import { UsageError } from '../errors.ts';
import type { Endpoint } from '../endpoint.ts';
import { parseRoute } from '../proxy/route.ts';
import type { ForwardSpec } from '../spec.ts';
import type { TransportName } from '../ssh/transport-name.ts';
import { formatWireguard, type WireguardAddress } from '../wireguard/address.ts';
import { namesOf } from '../wireguard/fail-over.ts';

export interface PlanOptions {
  readonly destination: Destination;
  readonly flags?: SshFlags;
  /** Absent: what the host's LocalForward, RemoteForward and DynamicForward lines say. */
  readonly forwards?: readonly ForwardSpec[];
  /** Default `auto`. */
  readonly transport?: TransportName;
  /** Where the host is in a VPN, and which way is taken. */
  readonly vpn?: VpnPlan;
  /** Gives up finding out what is configured. */
  readonly signal?: AbortSignal;
}

/** A host that is in a WireGuard VPN as well. */
export interface VpnPlan {
  readonly address: WireguardAddress;
  /** `auto`: through the VPN while it is up, else over SSH. */
  readonly via: 'auto' | 'wireguard' | 'ssh';
  /** Whether the SSH connection is there before it is needed. */
  readonly standby: boolean;
}

/** What a session is to do, with the host's configuration resolved. */
export interface SessionPlan {
  readonly settings: HostSettings;
  readonly flags: SshFlags;
  readonly transport: TransportName;
  readonly forwards: readonly ForwardSpec[];
  /** As in ssh, a line of the configuration that fails is a warning; what was typed is opened or there is no session. */
  readonly mayFail: boolean;
  readonly vpn?: VpnPlan;
  /** Two plans that connect alike have the same one. */
  readonly fingerprint: string;
}

/** ssh never asks by itself whether the server is still there; a session that is to stay up has to. */
const KEEPALIVE = { serverAliveInterval: 15, serverAliveCountMax: 3 };

/** Finds out what is configured. Throws a `UsageError`, also when there would be nothing to open. */
export async function planSession(options: PlanOptions): Promise<SessionPlan> {
  const { destination, flags = {}, transport = 'auto', signal } = options;
  const resolved = await resolveSettings(destination, flags, signal && { signal });
  const settings = resolved.serverAliveInterval > 0 ? resolved : { ...resolved, ...KEEPALIVE };
  const forwards = chosenForwards(settings, options.forwards);
  if (forwards.length === 0 && !isOn(settings, 'clearallforwardings')) throw nothingToOpen(destination);
  return {
    settings,
    flags,
    transport,
    forwards,
    mayFail: options.forwards === undefined && !isOn(settings, 'exitonforwardfailure'),
    ...(options.vpn && { vpn: options.vpn }),
    fingerprint: fingerprint(settings, transport, options.vpn),
  };
}

/** Whether a name is the host itself, as seen from there: what listens on it may be in the VPN as well. */
export function hostNames(
  { alias, hostname }: HostSettings,
  { address }: VpnPlan,
): (host: string) => boolean {
  return namesOf(alias, hostname, address.host);
}

/** Whether any of the forwards can only go over SSH. */
export function needsSsh({ settings, forwards, vpn }: SessionPlan): boolean {
  if (vpn === undefined || vpn.via === 'ssh') return true;
  const isHost = hostNames(settings, vpn);
  const isDirect = (place: Endpoint): boolean => place.kind === 'tcp' && isHost(place.host);
  return !forwards.every((spec) => {
    if (spec.kind === 'local') return isDirect(spec.connect);
    if (spec.kind !== 'http' || spec.caddyfile !== undefined) return false;
    const upstreams = spec.routes.map((route) => parseRoute(route).upstream);
    return upstreams.every((upstream) => upstream.kind === 'folder' || isDirect(upstream));
  });
}

function fingerprint({ options }: HostSettings, transport: TransportName, vpn: VpnPlan | undefined): string {
  const way = vpn && [formatWireguard(vpn.address), vpn.via];
  const text = JSON.stringify([transport, way, ...[...options].toSorted(([a], [b]) => (a < b ? -1 : 1))]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function nothingToOpen({ host }: Destination): UsageError {
  return new UsageError('nothing-to-open', `Nothing to open on ${host}: no port and no socket is named`, {
    hint: [
      `Name what to open: tunnel ${host} 8081, or tunnel ${host} ~/app/app.sock`,
      'LocalForward, RemoteForward and DynamicForward lines in ~/.ssh/config are opened, too.',
    ],
  });
}
