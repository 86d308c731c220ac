import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { listeningInodes } from '../rig/listeners.ts';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { echo, freePort } from '../rig/servers.ts';
import type { Sshd } from '../rig/sshd.ts';
import type { Tunnel } from '../rig/tunnel.ts';
import { until } from '../rig/until.ts';

interface Forwarded {
  readonly rig: Rig;
  readonly sshd: Sshd;
  readonly tunnel: Tunnel;
  /** What has reached the server. */
  readonly questions: readonly string[];
  readonly port: number;
}

/** A dead connection is noticed after 3 s; what is held is held for longer than any outage here. */
const watchful = ['-o', 'ServerAliveInterval=1', '-o', 'ServerAliveCountMax=2'];
const patient = ['--hold', '60s', '--reconnect', '100ms..500ms'];

async function forwarded(t: TestContext, flags: readonly string[]): Promise<Forwarded | undefined> {
  if (!needs(t, 'sshd')) return undefined;
  const rig = await startRig(t);
  const sshd = await rig.sshd({ relay: true });
  const questions: string[] = [];
  const server = await rig.serve((socket) => {
    // Another test may scan this machine meanwhile.
    socket.on('data', (data: Buffer) => {
      if (!data.includes('tunnel-scan')) questions.push(data.toString());
    });
    echo(socket);
  });
  const port = await freePort();
  const args = [...sshd.client.flags, ...flags, '--json', 'vps', `${port}:${server.port}`];
  const tunnel = await rig.tunnel(args);
  await tunnel.waitForEvent('forward');
  return { rig, sshd, tunnel, questions, port };
}

function readyTimes({ events }: Tunnel): number {
  return events.filter(({ event }) => event === 'ready').length;
}

/** Asks, and waits for the echo. */
async function ask(port: number, question: string): Promise<string> {
  const socket: Socket = connect(port, '127.0.0.1');
  socket.write(question);
  const [data] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return data.toString();
}

interface Outage {
  readonly name: string;
  readonly flags?: readonly string[];
  readonly begin: (sshd: Sshd) => Promise<void>;
  /** When what is asked during the outage has been asked. */
  readonly end: (sshd: Sshd, tunnel: Tunnel) => Promise<void>;
  /** Whether the connection lives through it. */
  readonly survives?: boolean;
}

const waits = async (tunnel: Tunnel): Promise<void> => void (await tunnel.waitForEvent('waiting'));

const outages: Outage[] = [
  {
    name: 'sshd is killed and started again',
    begin: (sshd) => sshd.kill(),
    end: async (sshd, tunnel) => {
      await waits(tunnel);
      await sshd.start();
    },
  },
  {
    name: 'all sessions of sshd are killed',
    begin: async (sshd) => sshd.killSessions(),
    end: async () => {},
  },
  {
    name: 'the link is cut with a reset, and refuses for a while',
    begin: async ({ relay }) => {
      await relay?.refuse(true);
      relay?.drop();
    },
    end: async ({ relay }, tunnel) => {
      await waits(tunnel);
      await relay?.refuse(false);
    },
  },
  {
    name: 'nothing passes any more, and no end comes',
    flags: watchful,
    begin: async ({ relay }) => relay?.blackhole(true),
    end: async ({ relay }, tunnel) => {
      await waits(tunnel);
      relay?.blackhole(false);
    },
  },
  {
    name: 'nothing passes while it connects again',
    flags: [...watchful, '-o', 'ConnectTimeout=1'],
    begin: async ({ relay }) => {
      relay?.drop();
      relay?.blackhole(true);
    },
    end: async ({ relay }, tunnel) => {
      await until(
        'a try has failed',
        () => tunnel.events.filter(({ event }) => event === 'waiting').length >= 2,
      );
      relay?.blackhole(false);
    },
  },
  {
    name: 'everything takes 10 s for a while',
    begin: async ({ relay }) => relay?.set({ delayMs: 10_000 }),
    end: async ({ relay }) => {
      await sleep(1000);
      relay?.set({});
    },
    survives: true,
  },
];

for (const { name, flags = [], begin, end, survives = false } of outages) {
  test(`${name}: what is asked meanwhile is answered, and the listeners stay`, async (t) => {
    const started = await forwarded(t, [...flags, ...patient]);
    if (started === undefined) return;
    const { sshd, tunnel, questions, port } = started;
    assert.equal(await ask(port, 'before'), 'before');
    const listeners = listeningInodes(tunnel.pid, port);
    assert.equal(listeners.length, 2);

    await begin(sshd);
    const asked = Promise.all(['one', 'two', 'three'].map((question) => ask(port, question)));
    await end(sshd, tunnel);

    assert.deepEqual(await asked, ['one', 'two', 'three']);
    if (!survives) await until('it is ready again', () => readyTimes(tunnel) === 2);
    assert.equal(await ask(port, 'after'), 'after');
    assert.equal(readyTimes(tunnel), survives ? 1 : 2);
    assert.deepEqual(listeningInodes(tunnel.pid, port), listeners);
    assert.deepEqual(questions.toSorted(), ['after', 'before', 'one', 'three', 'two']);
    assert.equal((await tunnel.interrupt()).status, 130);
  });
}

test('over the ssh program an outage is lived through as well', async (t) => {
  const started = await forwarded(t, ['--transport', 'openssh', ...patient]);
  if (started === undefined) return;
  const { sshd, tunnel, port } = started;
  assert.equal(await ask(port, 'before'), 'before');
  const listeners = listeningInodes(tunnel.pid, port);
  await sshd.relay?.refuse(true);
  sshd.relay?.drop();
  await tunnel.waitForEvent('waiting');
  const asked = ask(port, 'meanwhile');
  await sshd.relay?.refuse(false);
  assert.equal(await asked, 'meanwhile');
  assert.deepEqual(listeningInodes(tunnel.pid, port), listeners);
});

test('what is held for too long is closed, and said', async (t) => {
  const started = await forwarded(t, ['--hold', '300ms', '--reconnect', '5s..5s']);
  if (started === undefined) return;
  const { sshd, tunnel, port } = started;
  await sshd.relay?.refuse(true);
  sshd.relay?.drop();
  await tunnel.waitForEvent('waiting');
  await assert.rejects(ask(port, 'in vain'), { code: 'ECONNRESET' });
  const { error } = await tunnel.waitForEvent('error');
  assert.equal((error as { code: string }).code, 'held-too-long');
});

test('with --reconnect no a loss ends the program with 255, and says why', async (t) => {
  const started = await forwarded(t, ['--reconnect', 'no']);
  if (started === undefined) return;
  started.sshd.relay?.drop();
  assert.equal((await started.tunnel.exit).status, 255);
  assert.match(started.tunnel.stderr, /^✖ The connection to vps is lost/m);
});

test('a host key that has changed meanwhile ends it with 255: waiting does not help', async (t) => {
  const started = await forwarded(t, patient);
  if (started === undefined) return;
  await started.sshd.restart({ newHostKeys: true });
  assert.equal((await started.tunnel.exit).status, 255);
  assert.match(started.tunnel.stderr, /host key/i);
});

test('without --wait a first connection that fails ends it with 255; with it, it is tried again', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd({ relay: true });
  await sshd.relay?.refuse(true);
  const args = [...sshd.client.flags, '--json', ...patient, 'vps', `${await freePort()}:1`];
  assert.equal((await (await rig.tunnel(args)).exit).status, 255);
  const waiting = await rig.tunnel(['--wait', ...args]);
  await waiting.waitForEvent('waiting');
  await sshd.relay?.refuse(false);
  await waiting.waitForEvent('ready');
});

test('what the server listens on for us is asked for again, on the port that it chose', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd({ relay: true });
  const server = await rig.serve(echo);
  const args = [...sshd.client.flags, '--json', ...patient, 'vps', '-R', `0:localhost:${server.port}`];
  const tunnel = await rig.tunnel(args);
  const { listen } = await tunnel.waitForEvent('forward');
  const there = Number((listen as string[])[0]?.split(':').at(-1));
  assert.equal(await ask(there, 'before'), 'before');
  sshd.relay?.drop();
  await until('it is ready again', () => readyTimes(tunnel) === 2);
  await until('it is listened on again', async () => {
    const answer = await ask(there, 'after').catch(() => undefined);
    return answer === 'after';
  });
});

test('a process that was stopped while the server went away is back within seconds', async (t) => {
  const started = await forwarded(t, ['--reconnect', '100ms..30s']);
  if (started === undefined) return;
  const { sshd, tunnel, port } = started;
  process.kill(tunnel.pid, 'SIGSTOP');
  await sshd.kill();
  await sshd.start();
  await sleep(3000);
  process.kill(tunnel.pid, 'SIGCONT');
  assert.equal(await ask(port, 'awake'), 'awake');
});

test('a sleep is followed by a look whether the server answers; one that does keeps its session', async (t) => {
  const started = await forwarded(t, ['-v']);
  if (started === undefined) return;
  const { tunnel, port } = started;
  process.kill(tunnel.pid, 'SIGSTOP');
  await sleep(4000);
  process.kill(tunnel.pid, 'SIGCONT');
  await tunnel.waitFor(/after a sleep/);
  assert.equal(await ask(port, 'awake'), 'awake');
  assert.equal(readyTimes(tunnel), 1);
});

test('after a sleep a connection that is dead without a word is given up before its keepalives would notice', async (t) => {
  const started = await forwarded(t, patient);
  if (started === undefined) return;
  const { sshd, tunnel, port } = started;
  process.kill(tunnel.pid, 'SIGSTOP');
  sshd.relay?.blackhole(true);
  await sleep(4000);
  process.kill(tunnel.pid, 'SIGCONT');
  const asked = ask(port, 'awake');
  const { error } = await tunnel.waitForEvent('waiting');
  assert.match((error as { message: string }).message, /no answer after a sleep/);
  sshd.relay?.blackhole(false);
  assert.equal(await asked, 'awake');
});
