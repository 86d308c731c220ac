// Random faults while clients make checked requests: `npm run chaos -- [--seed N] [--faults N] [--clients N]`.
// Nothing wrong may be delivered, nothing executed twice, every failure must be seen by its client, and nothing may leak.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Chance } from '../test/chaos/chance.ts';
import { runClient, type Tally } from '../test/chaos/client.ts';
import { startCountedApp } from '../test/chaos/counted-app.ts';
import { faults } from '../test/chaos/faults.ts';
import { Rig } from '../test/rig/rig.ts';
import { freePort } from '../test/rig/servers.ts';
import { until } from '../test/rig/until.ts';

/** The whole run ends by itself, whatever happens. */
const LIMIT_MS = 10 * 60_000;
/** Idle connections to upstreams, and what the server has not heard of yet, are gone by then. */
const REST_MS = 6000;
/** What a process may have more of at the end than after the first requests: caches, a new connection's buffers. */
const SPARE_DESCRIPTORS = 4;
const SPARE_MEMORY_KB = 40 * 1024;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    faults: { type: 'string', default: '200' },
    clients: { type: 'string', default: '20' },
  },
});
setTimeout(() => {
  console.error(`✖ It has not ended within ${LIMIT_MS / 60_000} minutes`);
  process.exit(1);
}, LIMIT_MS).unref();

const rig = new Rig();
try {
  await run();
} finally {
  await rig.stop();
}

async function run(): Promise<void> {
  const chance = new Chance(Number(values.seed));
  const sshd = await rig.sshd({ relay: true });
  const app = await rig.own(startCountedApp(rig.folder('app')));
  const [port, http] = [await freePort(), await freePort()];
  const alive = ['-o', 'ServerAliveInterval=1', '-o', 'ServerAliveCountMax=2', '-o', 'ConnectTimeout=2'];
  const life = ['--reconnect', '100ms..500ms', '--hold', '20s'];
  const what = [`${port}:${app.socket}`, '--http', String(http), '-r', `/=${app.socket}`];
  const tunnel = await rig.tunnel([...sshd.client.flags, ...alive, ...life, '--json', 'vps', ...what]);
  await tunnel.waitForEvent('forward', ({ kind }) => kind === 'http');
  console.log(`seed ${values.seed}: ${values.faults} faults, ${values.clients} clients`);

  const tally: Tally = { answered: 0, failed: 0, wrong: [] };
  const ask = async (signal: AbortSignal): Promise<void> => {
    const ports = Array.from({ length: Number(values.clients) }, (_, index) =>
      index % 2 === 0 ? port : http,
    );
    await Promise.all(ports.map((one) => runClient(one, chance, tally, signal)));
  };
  /** With nobody connected: what is open for clients would hide what leaks. */
  const atRest = async (): Promise<Footprint> => {
    const isDone = (): boolean => {
      const connections = tunnel.events.filter(({ event }) => event === 'connection');
      const open = new Map(connections.map((event) => [event['spec'], event['open']]));
      return [...open.values()].every((count) => count === 0);
    };
    await until('every connection is closed', isDone);
    await sleep(REST_MS);
    return footprint(tunnel.pid);
  };

  const warm = new AbortController();
  const first = ask(warm.signal);
  await until('the first requests are answered', () => tally.answered > 100);
  warm.abort();
  await first;
  const before = await atRest();
  const stop = new AbortController();
  const clients = ask(stop.signal);
  const caused = new Map<string, number>();
  const start = performance.now();
  for (let fault = 0; fault < Number(values.faults); fault++) {
    const name = chance.one(Object.keys(faults));
    caused.set(name, (caused.get(name) ?? 0) + 1);
    await faults[name]?.({ sshd, pid: tunnel.pid }, chance);
    await sleep(chance.between(0, 500));
  }
  stop.abort();
  await clients;
  const seconds = (performance.now() - start) / 1000;
  const after = await atRest();
  const readies = tunnel.events.filter(({ event }) => event === 'ready').length;
  const twice = [...app.executed].filter(([, times]) => times > 1);
  const { status } = await tunnel.interrupt();

  console.log(
    `faults in ${seconds.toFixed(0)} s: ${[...caused].map(([name, times]) => `${name} ${times}`).join(', ')}`,
  );
  console.log(`connected ${readies} times`);
  console.log(`requests: ${tally.answered} answered, ${tally.failed} failed and told their client`);
  console.log(`descriptors: ${before.descriptors} before, ${after.descriptors} after`);
  console.log(`resident memory: ${before.memoryKb} kB before, ${after.memoryKb} kB after`);
  const troubles = [
    ...(tally.wrong.length > 0 ? [`${tally.wrong.length} answers were wrong`] : []),
    ...(twice.length > 0 ? [`${twice.length} requests were executed twice`] : []),
    ...(tally.answered < tally.failed ? ['more requests failed than were answered'] : []),
    ...(after.descriptors > before.descriptors + SPARE_DESCRIPTORS ? ['descriptors leak'] : []),
    ...(after.memoryKb > before.memoryKb + SPARE_MEMORY_KB ? ['memory grows'] : []),
    ...(status === 130 ? [] : [`tunnel ended with ${status}`]),
  ];
  for (const trouble of troubles) console.error(`✖ ${trouble}`);
  if (troubles.length > 0) process.exitCode = 1;
  else console.log('✔ nothing wrong was delivered, nothing executed twice, nothing left behind');
}

/** What a process has open, and in memory. */
interface Footprint {
  readonly descriptors: number;
  readonly memoryKb: number;
}

function footprint(pid: number): Footprint {
  const [, memory = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return { descriptors: readdirSync(`/proc/${pid}/fd`).length, memoryKb: Number(memory) };
}
