import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Rig } from '../../test/rig/rig.ts';
import type { Conditions } from '../../test/rig/relay.ts';
import type { SshClient } from '../../test/rig/ssh-client.ts';
import type { Caddy } from '../../test/rig/caddy.ts';
import type { TestUser } from '../../test/rig/users.ts';
import { freePort } from '../../test/rig/servers.ts';
import { untilAnswered } from './client.ts';
import { makePerson } from './person.ts';
import { startContender, type ContenderName, type Running } from './contenders.ts';

/** The files of a page beside its HTML, and the bytes of each. */
const FILES = 60;
const FILE_SIZE = 6000;

/** How `tunnel` serves the site: by the Caddyfile, with files from here; or as one route that leads to the Caddy there. */
export type SiteBy = 'caddyfile' | 'route';

/** What a scenario measures in: sshd, the network in front of it, and the servers behind it. Made once for all. */
export class Bench {
  readonly rig: Rig;
  readonly quick: boolean;
  readonly #network: ChildProcess;
  readonly #clients: Clients;
  readonly #ports: { readonly tcp: number; readonly http: number };
  readonly #socket: string;
  readonly #caddy: Caddy;
  #person: Promise<TestUser> | undefined;

  private constructor(
    rig: Rig,
    quick: boolean,
    network: ChildProcess,
    clients: Clients,
    ports: { readonly tcp: number; readonly http: number },
    socket: string,
    caddy: Caddy,
  ) {
    this.rig = rig;
    this.quick = quick;
    this.#network = network;
    this.#clients = clients;
    this.#ports = ports;
    this.#socket = socket;
    this.#caddy = caddy;
  }

  static async start(rig: Rig, quick: boolean): Promise<Bench> {
    const sshd = await rig.sshd({ config: ['MaxStartups 100'] });
    const { network, port } = await startNetwork(rig, sshd.port);
    const clients = {
      direct: sshd.client,
      far: sshd.writeClient({ name: 'far', hostname: '127.0.0.1', port }),
    };
    const socket = join(rig.folder('far'), 'far.sock');
    const script = fileURLToPath(new URL('far-side.ts', import.meta.url));
    const tsx = import.meta.resolve('tsx');
    const far = await rig.start([process.execPath, `--import=${tsx}`, script, socket], {
      ready: (output) => output.includes('port '),
    });
    const http = await freePort();
    await rig.start(['caddy', 'respond', '--listen', `127.0.0.1:${http}`, '--body', 'x'.repeat(200)]);
    const caddy = await rig.caddy({ proxies: { '/app/*': `127.0.0.1:${http}` } });
    for (const file of pageFiles) writeFileSync(join(caddy.webroot, file), 'x'.repeat(FILE_SIZE));
    const tcp = Number(/port (\d+)/.exec(far.output)?.[1]);
    return new Bench(rig, quick, network, clients, { tcp, http }, socket, caddy);
  }

  /** Runs `use` with a contender that carries, over a network like that; on loopback there is no relay in between. */
  async with<T>(
    contender: ContenderName,
    conditions: Conditions,
    use: (ports: LocalPorts, running: Running) => Promise<T>,
    site?: SiteBy,
  ): Promise<T> {
    const { running, ports } = await this.start(contender, conditions, site);
    try {
      await untilAnswered(ports.tcp);
      return await use(ports, running);
    } finally {
      await running.stop();
    }
  }

  /** Starts a contender and waits for nothing. */
  async start(
    contender: ContenderName,
    conditions: Conditions,
    by?: SiteBy,
  ): Promise<{ running: Running; ports: LocalPorts }> {
    const [tcp, unix, http, site] = [await freePort(), await freePort(), await freePort(), await freePort()];
    const ports = { tcp, unix, http, site };
    const caddy = this.#caddy;
    const flags = by === 'route' ? ['-r', `/=${caddy.port}`] : [`--caddyfile=${caddy.caddyfile}`];
    const isPlain = conditions.delayMs === undefined && conditions.bytesPerSecond === undefined;
    if (!isPlain) {
      this.#network.send(conditions);
      await once(this.#network, 'message');
    }
    const client = isPlain ? this.#clients.direct : this.#clients.far;
    const running = await startContender(
      contender,
      this.rig,
      client,
      [
        [tcp, String(this.#ports.tcp)],
        [unix, this.#socket],
        [http, String(this.#ports.http)],
      ],
      by && { port: site, flags, caddy: caddy.port },
    );
    return { running, ports };
  }

  /** Made when it is first asked for, and needs root. */
  person(): Promise<TestUser> {
    return (this.#person ??= makePerson(this.rig));
  }

  /** For what settles by itself: memory after a burst. */
  async settle(): Promise<void> {
    await sleep(1500);
  }
}

/** The same sshd, without and with a network in between. */
interface Clients {
  readonly direct: SshClient;
  readonly far: SshClient;
}

async function startNetwork(rig: Rig, target: number): Promise<{ network: ChildProcess; port: number }> {
  const script = fileURLToPath(new URL('network.ts', import.meta.url));
  const network = fork(script, [String(target)], {
    env: rig.env,
    execArgv: [`--import=${import.meta.resolve('tsx')}`],
  });
  await rig.own(Promise.resolve({ stop: () => Promise.resolve(network.disconnect()) }));
  const ended = once(network, 'exit').then(() => {
    throw new Error('The network in front of sshd has ended before it told its port');
  });
  const [port] = (await Promise.race([once(network, 'message'), ended])) as [number];
  return { network, port };
}

/** Where a contender listens: to the far side's port, to its socket, to a web server, and for the site if asked for. */
export interface LocalPorts {
  readonly tcp: number;
  readonly unix: number;
  readonly http: number;
  readonly site: number;
}

/** What a browser fetches beside the page. */
export const pageFiles: readonly string[] = Array.from({ length: FILES }, (_, i) => `${i}.js`);
