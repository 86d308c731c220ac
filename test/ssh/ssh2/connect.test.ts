import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRig } from '../../rig/rig.ts';
import { makeKey } from '../../rig/ssh-keys.ts';
import { login, refusal } from './ssh2.ts';
import { clientOf, startSsh2Server } from './ssh2-server.ts';

test('a server that hangs up as soon as it has accepted is said to have done so', async (t) => {
  const rig = await startRig(t);
  const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  await rig.own(Promise.resolve({ stop: async () => void server.close() }));
  const { publicKey: hostKey } = await makeKey(join(rig.folder('keys'), 'host'));
  const { port } = server.address() as AddressInfo;
  // The server is gone before ssh2 looks: the known keys come first.
  const client = await clientOf(rig, { port, hostKey }, ['KnownHostsCommand /bin/sleep 1']);
  const error = await refusal(client);
  assert.equal(error.code, 'handshake-failed');
  assert.match(error.message, /the server closed the connection/);
});

test('a server is asked for its host key, and none that is not known is logged in to', async (t) => {
  const rig = await startRig(t);
  let logins = 0;
  const server = await rig.own(
    startSsh2Server((connection) => {
      connection.on('authentication', (context) => {
        logins += 1;
        context.accept();
      });
    }),
  );
  const { publicKey: hostKey } = await makeKey(join(rig.folder('keys'), 'another'));
  const error = await refusal(await clientOf(rig, { port: server.port, hostKey }));
  assert.equal(error.code, 'host-key-changed');
  assert.equal(logins, 0);
});

test('a KnownHostsCommand that does not end is named when ConnectTimeout has passed', async (t) => {
  const rig = await startRig(t);
  const server = await rig.own(startSsh2Server(() => undefined));
  const command = '/bin/sleep 1000';
  const error = await refusal(
    await clientOf(rig, server, [`KnownHostsCommand ${command}`, 'ConnectTimeout 1']),
  );
  assert.equal(error.code, 'timeout');
  assert.match(error.hint.join(), /sleep 1000/);
});

test('a connection that is lost while the new host key is written down is known to be lost', async (t) => {
  const rig = await startRig(t);
  const server = await rig.own(
    startSsh2Server((connection) => {
      connection.on('authentication', (context) => context.accept());
      connection.on('ready', () => connection.end());
    }),
  );
  const knownHosts = join(rig.folder('new'), 'known_hosts');
  const options = ['StrictHostKeyChecking accept-new', `UserKnownHostsFile ${knownHosts}`];
  for (let i = 0; i < 5; i += 1) {
    rmSync(knownHosts, { force: true });
    const connection = await login(rig, await clientOf(rig, server, options));
    const error = await connection.closed;
    assert.equal(error?.code, 'connection-lost');
  }
});
