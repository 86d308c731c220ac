import { spawnSync } from 'node:child_process';
import { binary } from '../../test/rig/tunnel.ts';
import { mustRun } from '../../test/rig/run.ts';
import { pageFiles, type Bench, type LocalPorts, type SiteBy } from './bench.ts';
import { download, Client, openPage, untilAnswered, upload } from './client.ts';
import { cpuSeconds, residentBytes, type ContenderName } from './contenders.ts';
import { median, percentile } from './statistics.ts';

/** What one run gives: a value for each thing that was measured, by its name with the unit. */
export type Measured = Readonly<Record<string, number>>;

export interface Scenario {
  readonly name: string;
  /** What is measured in it is better when it is... */
  readonly better: 'more' | 'less';
  /** The first one is compared with each of the others. */
  readonly contenders: readonly string[];
  /** Ratios to reach, by what is measured and by the contender that it is compared with. */
  readonly targets?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Absolute values to reach. */
  readonly limits?: Readonly<Record<string, number>>;
  measure(bench: Bench, contender: string): Promise<Measured>;
}

const MB = 1e6;
const all = ['tunnel', 'ssh', 'ssh-gcm'];
const both = ['tunnel', 'ssh'];

interface Bulk {
  readonly way: 'down' | 'up';
  readonly roundTripMs: number;
  readonly streams?: number;
  readonly to?: keyof LocalPorts;
  /** MB of each stream. */
  readonly size: number;
  readonly targets?: Readonly<Record<string, number>>;
}

function bulk({ way, roundTripMs, streams = 1, to = 'tcp', size, targets }: Bulk): Scenario {
  const name = [
    way,
    roundTripMs,
    ...(streams > 1 ? [`x${streams}`] : []),
    ...(to === 'unix' ? ['unix'] : []),
  ];
  return {
    name: name.join('-'),
    better: 'more',
    contenders: roundTripMs === 0 ? all : both,
    ...(targets && { targets: { 'MB/s': targets } }),
    measure: (bench, contender) =>
      bench.with(contender as ContenderName, network(roundTripMs), async (ports, { pid }) => {
        const move = way === 'down' ? download : upload;
        const bytes = (bench.quick ? size / 4 : size) * MB;
        const before = cpuSeconds(pid);
        const start = performance.now();
        await Promise.all(Array.from({ length: streams }, () => move(ports[to], bytes)));
        const seconds = (performance.now() - start) / 1000;
        const megabytes = (bytes * streams) / MB;
        return {
          'MB/s': megabytes / seconds,
          ...(roundTripMs === 0 && { 'MB per CPU s': megabytes / (cpuSeconds(pid) - before) }),
        };
      }),
  };
}

function network(roundTripMs: number): { delayMs?: number } {
  return roundTripMs === 0 ? {} : { delayMs: roundTripMs / 2 };
}

/** What a small request every 100 ms waits for beside a transfer, at 100 Mbit/s and 20 ms. */
function beside(way: 'down' | 'up', ratio: number): Scenario {
  return {
    name: `beside-${way}`,
    better: 'less',
    contenders: both,
    targets: { 'added p99 ms': { ssh: ratio } },
    measure: (bench, contender) =>
      bench.with(contender as ContenderName, { delayMs: 10, bytesPerSecond: 12.5 * MB }, async (ports) => {
        const small = await Client.open(ports.tcp);
        const alone: number[] = [];
        for (let i = 0; i < 20; i++) alone.push(await small.ask());
        const stop = new AbortController();
        const bytes = (bench.quick ? 40 : 120) * MB;
        const start = performance.now();
        const transfer = (way === 'down' ? download : upload)(ports.tcp, bytes).finally(() => stop.abort());
        const times = await small.askRegularly(stop.signal);
        await transfer;
        small.close();
        const added = times.map((time) => time - median(alone));
        return {
          'added p50 ms': percentile(added, 50),
          'added p99 ms': percentile(added, 99),
          'ms a MB beside it': (performance.now() - start) / (bytes / MB),
        };
      }),
  };
}

/** One client that asks again and again, of a server that answers with a head and then a body. */
const answers: Scenario = {
  name: 'answers',
  better: 'less',
  contenders: both,
  measure: (bench, contender) =>
    // Not over the rig's network, which would be acknowledged to sshd, and not what is behind it.
    bench.with(contender as ContenderName, {}, async ({ tcp }) => {
      const client = await Client.openParts(tcp);
      const times: number[] = [];
      for (let i = 0; i < 100; i++) times.push(await client.ask());
      client.close();
      return { 'p50 ms': percentile(times, 50), 'p99 ms': percentile(times, 99) };
    }),
};

/** From the start of the program to the first byte that comes back. */
function cold(roundTripMs: number, targets?: Readonly<Record<string, number>>): Scenario {
  return {
    name: `cold-${roundTripMs}`,
    better: 'less',
    contenders: both,
    ...(targets && { targets: { ms: targets } }),
    async measure(bench, contender) {
      const start = performance.now();
      const { running, ports } = await bench.start(contender as ContenderName, network(roundTripMs));
      try {
        await untilAnswered(ports.tcp);
        return { ms: performance.now() - start };
      } finally {
        await running.stop();
      }
    },
  };
}

/** Keep-alive clients of a web server, through a plain forward. */
function requests(clients: number, targets?: Readonly<Record<string, number>>): Scenario {
  return {
    name: `requests-${clients}`,
    better: 'more',
    contenders: both,
    ...(targets && { targets: { 'requests/s': targets } }),
    measure: (bench, contender) =>
      bench.with(contender as ContenderName, {}, ({ http }, { pid }) => ask(bench, pid, clients, http, '/')),
  };
}

/** The same through a reverse proxy: ours here, or the Caddy there. */
function proxied(clients: number): Scenario {
  return {
    name: `proxy-${clients}`,
    better: 'more',
    contenders: both,
    measure: (bench, contender) =>
      bench.with(
        contender as ContenderName,
        {},
        ({ site }, { pid }) => ask(bench, pid, clients, site, '/app/'),
        'caddyfile',
      ),
  };
}

async function ask(
  bench: Bench,
  pid: number,
  clients: number,
  port: number,
  path: string,
): Promise<Measured> {
  const before = cpuSeconds(pid);
  const seconds = bench.quick ? 2 : 5;
  const url = `http://127.0.0.1:${port}${path}`;
  const command = ['wrk', '-t1', `-c${clients}`, `-d${seconds}s`, '--latency', url];
  const { stdout } = await mustRun(command, { env: bench.rig.env });
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(stdout);
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
  return {
    'requests/s': perSecond,
    'requests per CPU s': (perSecond * seconds) / (cpuSeconds(pid) - before),
    '1/p99 of them, per s': 1000 / latencyMs(stdout),
  };
}

/** A page with many small files, as a browser opens it. */
function page(name: string, by: SiteBy, targets?: Readonly<Record<string, number>>): Scenario {
  return {
    name,
    better: 'less',
    contenders: both,
    ...(targets && { targets: { ms: targets } }),
    measure: (bench, contender) =>
      bench.with(
        contender as ContenderName,
        network(100),
        async ({ site }) => ({ ms: await openPage(site, pageFiles) }),
        by,
      ),
  };
}

/** wrk's p99, in milliseconds. */
function latencyMs(output: string): number {
  const [, value, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(output) ?? [];
  return Number(value) * { us: 0.001, ms: 1, s: 1000 }[unit as 'us' | 'ms' | 's'];
}

const connections: Scenario = {
  name: 'connections',
  better: 'more',
  contenders: both,
  measure: (bench, contender) =>
    bench.with(contender as ContenderName, {}, async ({ tcp }, { pid }) => {
      const before = cpuSeconds(pid);
      const end = performance.now() + (bench.quick ? 1500 : 4000);
      let count = 0;
      const start = performance.now();
      const client = async (): Promise<void> => {
        while (performance.now() < end) {
          await untilAnswered(tcp);
          count += 1;
        }
      };
      await Promise.all(Array.from({ length: 16 }, client));
      return {
        'connections/s': (count * 1000) / (performance.now() - start),
        'connections per CPU s': count / (cpuSeconds(pid) - before),
      };
    }),
};

const memory: Scenario = {
  name: 'memory',
  better: 'less',
  contenders: both,
  limits: { 'MB with 1,000 idle': 110 },
  measure: (bench, contender) =>
    bench.with(contender as ContenderName, {}, async ({ tcp }, { pid }) => {
      const idle = residentBytes(pid) / MB;
      const clients: Client[] = [];
      // ssh loses some of a thousand that come at once: its listeners hold 128.
      while (clients.length < 1000) {
        clients.push(...(await Promise.all(Array.from({ length: 50 }, () => Client.open(tcp)))));
      }
      await bench.settle();
      const crowded = residentBytes(pid) / MB;
      for (const client of clients) client.close();
      await bench.settle();
      let most = 0;
      const timer = setInterval(() => (most = Math.max(most, residentBytes(pid) / MB)), 20);
      await download(tcp, 200 * MB).finally(() => clearInterval(timer));
      return { 'MB idle': idle, 'MB with 1,000 idle': crowded, 'MB during bulk': most };
    }),
};

interface StartUp {
  readonly name: string;
  readonly args: readonly string[];
  readonly target?: number;
  /** Default: whoever runs this. */
  readonly asPerson?: boolean;
}

/** A command that needs no session, beside a program that does nothing. */
function startUp({ name, args, target, asPerson = false }: StartUp): Scenario {
  return {
    name,
    better: 'less',
    contenders: [`tunnel ${args[0] ?? ''}`, 'node -e 0'],
    ...(target !== undefined && { targets: { ms: { 'node -e 0': target } } }),
    measure: async (bench, contender) => {
      const command = contender.startsWith('node') ? ['-e', '0'] : [binary, ...args];
      const person = asPerson ? await bench.person() : undefined;
      const times = Array.from({ length: 10 }, () => {
        const start = performance.now();
        const { status, error } = spawnSync(process.execPath, command, {
          env: bench.rig.env,
          stdio: 'ignore',
          ...(person && { uid: person.uid, gid: person.gid }),
        });
        if (status !== 0) throw error ?? new Error(`${contender} ended with ${status}`);
        return performance.now() - start;
      });
      return { ms: median(times) };
    },
  };
}

const tab = (line: string): readonly string[] => ['__complete', 'bash', line, ' =:'];

/** In the order of the report. */
export const scenarios: readonly Scenario[] = [
  startUp({ name: 'version', args: ['--version'], target: 1.3 }),
  startUp({ name: 'completion', args: tab('tunnel --'), target: 1.3 }),
  // Only root can make somebody.
  ...(process.getuid?.() === 0
    ? [startUp({ name: 'completion-hosts', args: tab('tunnel '), asPerson: true })]
    : []),
  startUp({ name: 'ls', args: ['ls'] }),
  cold(0),
  cold(100, { ssh: 1 }),
  bulk({ way: 'down', roundTripMs: 0, size: 1000, targets: { ssh: 1.15, 'ssh-gcm': 0.9 } }),
  bulk({ way: 'up', roundTripMs: 0, size: 1000, targets: { 'ssh-gcm': 0.9 } }),
  bulk({ way: 'down', roundTripMs: 0, to: 'unix', size: 1000 }),
  bulk({ way: 'up', roundTripMs: 0, to: 'unix', size: 1000 }),
  bulk({ way: 'down', roundTripMs: 0, streams: 8, size: 100 }),
  bulk({ way: 'up', roundTripMs: 0, streams: 8, size: 100 }),
  bulk({ way: 'down', roundTripMs: 20, size: 200 }),
  bulk({ way: 'up', roundTripMs: 20, size: 200 }),
  bulk({ way: 'down', roundTripMs: 50, size: 400, targets: { ssh: 4 } }),
  bulk({ way: 'up', roundTripMs: 50, size: 120, targets: { ssh: 0.95 } }),
  bulk({ way: 'down', roundTripMs: 50, streams: 8, size: 40 }),
  bulk({ way: 'down', roundTripMs: 100, size: 100 }),
  bulk({ way: 'up', roundTripMs: 100, size: 60 }),
  beside('down', 0.25),
  beside('up', 0.5),
  connections,
  answers,
  requests(1),
  requests(64, { ssh: 1 }),
  requests(256),
  proxied(1),
  proxied(64),
  proxied(256),
  page('page-100', 'caddyfile', { ssh: 0.8 }),
  page('page-100-far', 'route'),
  memory,
];
