import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { startRig } from '../../rig/rig.ts';
import { login } from './ssh2.ts';
import { clientOf, startSsh2Server } from './ssh2-server.ts';

const MIB = 1024 * 1024;

test('a server sends no more than a window to a reader that has stopped', async (t) => {
  const rig = await startRig(t);
  let sent = 0;
  const server = await rig.own(
    startSsh2Server((connection) => {
      connection.on('authentication', (context) => context.accept());
      connection.on('tcpip', (accept) => {
        const channel = accept();
        const send = (): void => {
          sent += MIB / 4;
          if (sent < 64 * MIB) channel.write(Buffer.alloc(MIB / 4), send);
        };
        send();
      });
    }),
  );
  const connection = await login(rig, await clientOf(rig, server));
  const stream = await connection.dial({ kind: 'tcp', host: 'localhost', port: 80 });
  stream.on('error', () => undefined);

  let before = -1;
  for (let still = 0; still < 20; before = sent) {
    await sleep(5);
    still = sent === before ? still + 1 : 0;
  }
  assert.ok(sent < 8 * MIB, `${sent} bytes were taken`);
});
