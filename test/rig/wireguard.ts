import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serverEnv } from './env.ts';
import { startImpostor, type Impostor } from './impostor.ts';
import { onDeath } from './last-resort.ts';
import type { Machine } from './machine.ts';
import { join, makeNamespace, type Namespace } from './namespace.ts';
import { startServer, type ServerProcess } from './processes.ts';
import { mustRun } from './run.ts';

export interface WireguardOptions {
  /** Default true: the VPN is up on both sides. */
  readonly up?: boolean;
  /** The near one's address in the VPN, and the far one's, in one /24. */
  readonly addresses?: readonly [string, string];
}

/** One end of the VPN: a machine with a WireGuard interface and an ordinary one. */
export interface WireguardSide {
  readonly prefix: readonly string[];
  /** Its address on the ordinary link. */
  readonly publicAddress: string;
  readonly vpnAddress: string;
  readonly vpnAddress6: string;
  readonly interface: string;
  /** `ip ARGS` there. */
  readonly ip: (...args: readonly string[]) => Promise<string>;
  /** Takes its interface down, and up again with its addresses, as wg-quick does. */
  down(): Promise<void>;
  up(): Promise<void>;
}

/** Two machines with WireGuard between them, over a cable. */
export interface WireguardNet {
  readonly near: WireguardSide;
  /** The remote machine; `{ on: net.far }` for sshd (with `relay: false`), Gunicorn and Caddy. */
  readonly far: WireguardSide & Machine;
  /** A third machine, which the near one's default route leads to, and which has the far one's VPN addresses. */
  impostor(ports: readonly number[]): Promise<Impostor>;
  stop(): Promise<void>;
}

const PORT = 51_820;

/** Starts wireguard-go in two namespaces. Needs root, and what the requirement `wireguard` names. */
export async function startWireguard(
  dir: string,
  { up = true, addresses = ['10.99.0.2', '10.99.0.1'] }: WireguardOptions = {},
): Promise<WireguardNet> {
  const started: { stop(): Promise<void> }[] = [];
  const own = async <T extends { stop(): Promise<void> }>(start: Promise<T>): Promise<T> => {
    const one = await start;
    started.push(one);
    return one;
  };
  const stop = async (): Promise<void> => {
    for (let one = started.pop(); one; one = started.pop()) await one.stop();
  };
  try {
    const namespaces = [await own(makeNamespace()), await own(makeNamespace())] as const;
    await join([namespaces[0], '192.0.2.1/24'], [namespaces[1], '192.0.2.2/24']);
    const near = await own(
      startSide(namespaces[0], { dir, name: 'near', vpnAddress: addresses[0], publicAddress: '192.0.2.1' }),
    );
    const far = await own(
      startSide(namespaces[1], { dir, name: 'far', vpnAddress: addresses[1], publicAddress: '192.0.2.2' }),
    );
    await near.pairWith(far);
    await far.pairWith(near);
    if (up) for (const side of [near, far]) await side.up();
    return {
      near,
      far: Object.assign(far, {
        expose: (port: number) => own(expose(far, dir, port)).then(({ path }) => path),
      }),
      impostor: (ports) =>
        own(startImpostor(near, { dir, addresses: [far.vpnAddress, far.vpnAddress6], ports })),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface SidePlan {
  readonly dir: string;
  readonly name: string;
  readonly vpnAddress: string;
  readonly publicAddress: string;
}

interface RunningSide extends WireguardSide {
  readonly publicKey: string;
  pairWith(other: RunningSide): Promise<void>;
  stop(): Promise<void>;
}

async function startSide(
  { ip, prefix }: Namespace,
  { dir, name, vpnAddress, publicAddress }: SidePlan,
): Promise<RunningSide> {
  // The control sockets of all namespaces are in one folder, by these names.
  const dev = `wg${randomBytes(4).toString('hex')}`;
  const control = `/var/run/wireguard/${dev}.sock`;
  const keys = generateKeyPairSync('x25519');
  const keyFile = joinPath(dir, `${name}.key`);
  writeFileSync(keyFile, base64(keys.privateKey.export({ format: 'jwk' }).d), { mode: 0o600 });
  const vpnAddress6 = `fd99::${vpnAddress.split('.').at(-1)}`;
  const env = serverEnv(dir);
  const wg = (...args: readonly string[]): Promise<unknown> =>
    mustRun([...prefix, 'wg', 'set', dev, ...args], { env });
  const removeControl = (): void => rmSync(control, { force: true });
  const forget = onDeath(removeControl);
  const daemon = await startServer({
    command: [...prefix, 'wireguard-go', '--foreground', dev],
    cwd: dir,
    env,
    ready: () => existsSync(control),
    stopSignal: 'SIGTERM',
  });
  const stop = async (): Promise<void> => {
    await daemon.stop();
    removeControl();
    forget();
  };
  try {
    await wg('private-key', keyFile, 'listen-port', String(PORT));
    await ip('addr', 'add', `${vpnAddress}/24`, 'dev', dev);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    prefix,
    publicAddress,
    vpnAddress,
    vpnAddress6,
    interface: dev,
    publicKey: base64(keys.publicKey.export({ format: 'jwk' }).x),
    ip,
    async down() {
      await ip('link', 'set', dev, 'down');
    },
    async up() {
      await ip('link', 'set', dev, 'up');
      // IPv6 addresses are lost with the link. `nodad`: usable at once.
      await ip('addr', 'replace', `${vpnAddress6}/64`, 'dev', dev, 'nodad');
    },
    async pairWith(other) {
      const allowed = `${other.vpnAddress}/32,${other.vpnAddress6}/128`;
      const endpoint = `${other.publicAddress}:${PORT}`;
      await wg('peer', other.publicKey, 'allowed-ips', allowed, 'endpoint', endpoint);
    },
    stop,
  };
}

function base64(value: string | undefined): string {
  return Buffer.from(value ?? '', 'base64url').toString('base64');
}

const bridgeScript = fileURLToPath(new URL('bridge.js', import.meta.url));

/** As `Machine.expose`. */
async function expose(
  { prefix }: WireguardSide,
  dir: string,
  port: number,
): Promise<ServerProcess & { readonly path: string }> {
  const path = joinPath(dir, `${port}.sock`);
  const bridge = await startServer({
    command: [...prefix, process.execPath, bridgeScript, path, String(port)],
    cwd: dir,
    env: serverEnv(dir),
    ready: (output) => output.includes('ready'),
    stopSignal: 'SIGKILL',
  });
  return Object.assign(bridge, { path });
}
