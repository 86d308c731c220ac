import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PromptAck } from '../../../src/ssh/ssh2/prompt-ack.ts';
import { needs } from '../../rig/requirements.ts';
import { startRig } from '../../rig/rig.ts';
import { until } from '../../rig/until.ts';
import { login } from './ssh2.ts';

/** A connected socket, with an ack that counts. */
async function start(
  t: TestContext,
  hasMany = false,
): Promise<{ socket: Socket; ack: PromptAck; sent: () => number }> {
  const server = createServer((accepted) => void accepted.on('error', () => undefined).resume());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  t.after(() => {
    socket.destroy();
    server.close();
  });
  let sent = 0;
  const ack = new PromptAck(
    socket,
    () => sent++,
    () => hasMany,
  );
  return { socket, ack, sent: () => sent };
}

test('what has come is acknowledged once, however much came together', async (t) => {
  const { ack, sent } = await start(t);
  for (let i = 0; i < 10; i++) ack.received();
  await until('it is acknowledged', () => sent() > 0);
  await sleep(20);
  assert.equal(sent(), 1);
  ack.received();
  await until('it is acknowledged again', () => sent() > 1);
});

test('among many what has come is acknowledged as well, if nobody speaks', async (t) => {
  const { ack, sent } = await start(t, true);
  ack.received();
  await until('it is acknowledged', () => sent() === 1);
});

test('what is sent anyway is acknowledgement enough', async (t) => {
  const { socket, ack, sent } = await start(t);
  ack.received();
  socket.write('the next request');
  await sleep(20);
  assert.equal(sent(), 0);
});

test('nothing is sent once the connection is gone', async (t) => {
  const { socket, ack, sent } = await start(t);
  ack.received();
  socket.destroy();
  await sleep(20);
  assert.equal(sent(), 0);
});

test('sshd hears of each part of an answer, though nobody has anything to say to it', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd({ config: ['LogLevel DEBUG3'] });
  const parts: (() => void)[] = [];
  const server = await rig.serve((socket) => void parts.push(() => socket.write('a part')));
  const connection = await login(rig, sshd.client);
  const stream = await connection.dial({ kind: 'tcp', host: '127.0.0.1', port: server.port });
  stream.resume();
  await until('the server has it', () => parts.length === 1);
  const heard = (): number => sshd.log().split('rcvd adjust 0').length - 1;
  const before = heard();
  for (let i = 1; i <= 3; i++) {
    parts[0]?.();
    await until('sshd hears of it', () => heard() >= before + i);
  }
  stream.destroy();
});
