import { fileURLToPath } from 'node:url';
import type { TestContext } from 'node:test';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import type { WireguardNet, WireguardOptions } from '../rig/wireguard.ts';
import type { Start } from './near.fixture.ts';
import { startNearSide, type NearSide } from './near-side.ts';

/** A VPN, and the module under test on its near side. */
export interface Vpn {
  readonly rig: Rig;
  readonly net: WireguardNet;
  readonly near: NearSide;
  /** As `--wireguard` takes it, with the interface: wireguard-go's is a tun device. */
  readonly address: string;
  /** Starts a server on the far side that answers with its name and what it was sent. */
  readonly answer: (name: string, host: string, ...ports: readonly number[]) => Promise<unknown>;
}

/** A port of the far side that is reached over the VPN, and the one that stands for its SSH. */
export const [WEB, SSH] = [8081, 2222];

const script = fileURLToPath(new URL('../rig/answer.js', import.meta.url));

/** Undefined, with the test skipped, where there is no WireGuard. */
export async function startVpn(t: TestContext, options?: WireguardOptions): Promise<Vpn | undefined> {
  if (!needs(t, 'wireguard')) return undefined;
  const rig = await startRig(t);
  const net = await rig.wireguard(options);
  const near = await rig.own(startNearSide(net.near.prefix, rig.env));
  const address = `${net.far.vpnAddress},interface=${net.near.interface}`;
  const answer: Vpn['answer'] = (name, host, ...ports) =>
    rig.start([...net.far.prefix, process.execPath, script, name, host, ...ports.map(String)], {
      ready: (output) => output.includes('ready'),
    });
  return { rig, net, near, address, answer };
}

/** As `startVpn`, with a server on `WEB` in the VPN that answers `vpn …` and one on `SSH` of the public address, `ssh …`. */
export async function startServedVpn(
  t: TestContext,
  times: NonNullable<Start['times']> = {},
): Promise<Vpn | undefined> {
  const vpn = await startVpn(t);
  if (vpn === undefined) return undefined;
  await vpn.answer('vpn', vpn.net.far.vpnAddress, WEB);
  await vpn.answer('ssh', vpn.net.far.publicAddress, SSH);
  await vpn.near.call('start', {
    vpn: vpn.address,
    ssh: { host: vpn.net.far.publicAddress, port: SSH },
    times,
  });
  return vpn;
}
