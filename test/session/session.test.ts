import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { parseDestination } from '../../src/config/destination.ts';
import { ConnectionLostError, UsageError } from '../../src/errors.ts';
import type { SessionEvent } from '../../src/session/events.ts';
import { openSession, type Session } from '../../src/session/session.ts';
import { parseSpec } from '../../src/parse-spec.ts';
import { needs } from '../rig/requirements.ts';
import { startRig } from '../rig/rig.ts';
import { echo, freePort } from '../rig/servers.ts';
import type { Sshd } from '../rig/sshd.ts';

interface Opened {
  readonly session: Session;
  readonly sshd: Sshd;
  readonly events: SessionEvent[];
  readonly port: number;
}

async function open(t: TestContext): Promise<Opened | undefined> {
  if (!needs(t, 'sshd')) return undefined;
  const rig = await startRig(t);
  const sshd = await rig.sshd({ relay: true });
  const { port } = await rig.serve(echo);
  const events: SessionEvent[] = [];
  const session = await openSession({
    destination: parseDestination('vps'),
    flags: { configFile: sshd.client.configFile },
    forwards: [parseSpec(`auto:${port}`)],
    reconnect: false,
    onEvent: (event) => events.push(event),
  });
  t.after(() => session.close());
  return { session, sshd, events, port };
}

test('two forwards that are added at once are two', async (t) => {
  const opened = await open(t);
  if (opened === undefined) return;
  const specs = [await freePort(), await freePort()].map((port) => parseSpec(`${port}:${opened.port}`));
  const forwards = await Promise.all(specs.map((spec) => opened.session.forward(spec)));
  assert.deepEqual(
    forwards.map(({ spec }) => spec),
    specs,
  );
  assert.equal(opened.session.forwards.length, 3);
});

test('a forward that is added after the end is refused, and nothing listens', async (t) => {
  const opened = await open(t);
  if (opened === undefined) return;
  await opened.session.close();
  const spec = parseSpec(`${await freePort()}:${opened.port}`);
  await assert.rejects(opened.session.forward(spec), ConnectionLostError);
  assert.equal(opened.session.forwards.length, 1);
});

test('a session whose connection is lost says why, and ends its forwards', async (t) => {
  const opened = await open(t);
  if (opened === undefined) return;
  opened.sshd.relay?.drop();
  const error = await opened.session.closed;
  assert.ok(error instanceof ConnectionLostError);
  assert.equal(opened.events.at(-1)?.type, 'closed');
});

test('the events begin with connecting, and every forward comes after ready', async (t) => {
  const opened = await open(t);
  const types = opened?.events.map(({ type }) => type).filter((type) => type !== 'debug');
  assert.deepEqual(types, opened && ['connecting', 'connecting', 'connecting', 'ready', 'forward']);
});

test('what a user or a host is named cannot reach the shell of a ProxyCommand, whoever calls', async () => {
  const names = [
    { destination: { host: 'vps' }, flags: { user: 'x$(touch pwned)' } },
    { destination: { host: 'vps', user: 'x;y' } },
    { destination: { host: '$(touch pwned)' } },
    { destination: { host: '-oProxyCommand=x' } },
  ];
  for (const { destination, flags } of names) {
    const session = openSession({
      destination,
      flags: { configFile: 'none', ...flags },
      forwards: [parseSpec('1')],
    });
    await assert.rejects(session, UsageError);
  }
});
