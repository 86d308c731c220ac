import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { freePort } from '../rig/servers.ts';
import type { SshClient } from '../rig/ssh-client.ts';
import type { Sshd } from '../rig/sshd.ts';
import type { Tunnel } from '../rig/tunnel.ts';
import type { WireguardNet } from '../rig/wireguard.ts';

/** A machine as in the README, with a public address and one in a VPN, and a machine of its user. */
export interface VpnHost {
  readonly rig: Rig;
  readonly net: WireguardNet;
  readonly sshd: Sshd;
  /** Its `vps` is the public address; no key is known for the one in the VPN. */
  readonly client: SshClient;
  /** Caddy's port, on localhost and in the VPN. */
  readonly web: number;
  /** Gunicorn's socket, `~/app/app.sock`. */
  readonly socket: string;
  /** What `--wireguard` takes. */
  readonly vpn: string;
  /** The program, on the user's machine. */
  readonly tunnel: (...args: readonly string[]) => Promise<Tunnel>;
  /** What a URL gives on the user's machine; empty where it fails. */
  readonly get: (url: string) => Promise<string>;
  /** The address of the host that each connection to its sshd was for, in their order. */
  readonly sshConnections: () => readonly string[];
}

/** Undefined, with the test skipped, where something of it is missing. */
export async function startVpnHost(t: TestContext): Promise<VpnHost | undefined> {
  if (!needs(t, 'wireguard', 'sshd', 'gunicorn', 'caddy', 'curl')) return undefined;
  const rig = await startRig(t);
  const net = await rig.wireguard();
  const { near, far } = net;
  const listen = { listenAddress: '0.0.0.0', config: ['ListenAddress [::]'] };
  const sshd = await rig.sshd({ on: far, relay: false, ...listen });
  const client = sshd.writeClient({ hostname: far.publicAddress });
  const app = await rig.gunicorn({ dir: join(sshd.home, 'app'), name: 'vpn' });
  const web = await freePort();
  await rig.caddy({
    dir: app.dir,
    port: web,
    on: far,
    bind: ['127.0.0.1', far.vpnAddress, `[${far.vpnAddress6}]`],
  });
  return {
    rig,
    net,
    sshd,
    client,
    web,
    socket: app.socket ?? '',
    vpn: `${far.vpnAddress},interface=${near.interface}`,
    tunnel: (...args) => rig.tunnel([...client.flags, ...args], { prefix: near.prefix }),
    async get(url) {
      const result = await rig.run([
        ...near.prefix,
        'curl',
        '--silent',
        '--fail',
        '--connect-timeout',
        '3',
        // What was open when the VPN went waits for it to come back.
        '--max-time',
        '10',
        url,
      ]);
      return result.status === 0 ? result.stdout : '';
    },
    sshConnections: () =>
      [...sshd.log().matchAll(/Connection from \S+ port \d+ on (\S+) port/g)].map(
        ([, address = '']) => address,
      ),
  };
}
