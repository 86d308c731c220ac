import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { needs } from './requirements.ts';
import { startRig } from './rig.ts';
import { echo, freePort, readToEnd } from './servers.ts';

test('the program runs with what it writes and its exit status at hand', async (t) => {
  const rig = await startRig(t);
  const version = await rig.tunnel(['--version']);
  assert.deepEqual(await version.exit, { status: 0, signal: undefined });
  assert.match(version.stdout, /\d+\.\d+\.\d+/);
  const wrong = await rig.tunnel(['--no-such-flag']);
  await wrong.waitFor(/no-such-flag/);
  assert.equal((await wrong.exit).status, 2);
});

test('waiting for what the program never writes fails with what it did write', async (t) => {
  const rig = await startRig(t);
  const version = await rig.tunnel(['--version']);
  await assert.rejects(version.waitFor(/^nonsense$/), /ended without[^]*\d+\.\d+\.\d+/);
});

test('the program forwards through the rig, tells its events and is interrupted', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd({ relay: true });
  const server = await rig.serve(echo);
  const port = await freePort();
  const tunnel = await rig.tunnel([
    ...sshd.client.flags,
    '--json',
    'vps',
    `${port}:127.0.0.1:${server.port}`,
  ]);
  await tunnel.waitForEvent('forward');
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  socket.end('hello');
  assert.equal(await readToEnd(socket), 'hello');
  assert.equal(sshd.relay?.total, 1);
  assert.equal((await tunnel.interrupt()).status, 130);
  assert.ok(tunnel.events.some(({ event }) => event === 'closed'));
});

test('in a terminal the program is seen, typed to and hung up', async (t) => {
  if (!needs(t, 'sshd', 'pty')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const stranger = sshd.writeClient({ name: 'stranger', known: false });
  const args = [...stranger.flags, 'stranger', `${await freePort()}:127.0.0.1:1`];

  const terminal = await rig.terminal(args);
  await terminal.waitFor(/SHA256:/);
  assert.ok(terminal.screen.includes(sshd.hostKeys[0]?.fingerprint ?? 'no key'));
  terminal.write('yes\r');
  await terminal.waitFor(/127\.0\.0\.1:1\b/);
  terminal.hangUp();
  await terminal.exit;
});
