import assert from 'node:assert/strict';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { test, type TestContext } from 'node:test';
import type { Connection } from 'ssh2';
import { ConnectionLostError } from '../../../src/errors.ts';
import type { SshConnection } from '../../../src/ssh/connection.ts';
import { startRig } from '../../rig/rig.ts';
import { writeSshClient } from '../../rig/ssh-client.ts';
import { makeKey } from '../../rig/ssh-keys.ts';
import { login } from './ssh2.ts';
import { startSsh2Server } from './ssh2-server.ts';

interface Started {
  readonly connection: SshConnection;
  readonly server: Connection;
}

async function startCompressed(t: TestContext): Promise<Started> {
  const rig = await startRig(t);
  const identity = await makeKey(join(rig.dir, 'unused'));
  let server: Connection | undefined;
  const { port, hostKey } = await rig.own(
    startSsh2Server(
      (connection) => {
        server = connection;
        connection.on('authentication', (context) => context.accept());
        connection.on('tcpip', (accept) => accept().resume());
      },
      { compress: ['zlib@openssh.com'] },
    ),
  );
  const client = writeSshClient(rig.folder('client'), {
    hostname: '127.0.0.1',
    port,
    user: 'deploy',
    identity,
    hostKeys: [{ ...identity, publicKey: hostKey }],
    config: ['Compression yes'],
  });
  const connection = await login(rig, client);
  assert.ok(server);
  return { connection, server };
}

/** Encrypts rightly what zlib cannot read. */
function sendGarbage(server: Connection): void {
  const { _protocol: protocol } = server as unknown as {
    _protocol: { _cipher: { allocPacket(length: number): Buffer; encrypt(packet: Buffer): void } };
  };
  const packet = protocol._cipher.allocPacket(64);
  // A stored block whose length and its complement do not agree (RFC 1951, section 3.2.4).
  packet.fill(0, 5, 5 + 64);
  protocol._cipher.encrypt(packet);
}

test('compressed data that cannot be read ends the connection with an error, and nothing else', async (t) => {
  const { connection, server } = await startCompressed(t);
  const stream = await connection.dial({ kind: 'tcp', host: 'there', port: 1 });
  const broken = finished(stream).catch((error: unknown) => error);
  sendGarbage(server);
  assert.ok((await connection.closed) instanceof ConnectionLostError);
  assert.ok((await broken) instanceof Error);
  await assert.rejects(connection.dial({ kind: 'tcp', host: 'there', port: 1 }), ConnectionLostError);
});

test('streams that are written to while a compressed connection ends break without ending the process', async (t) => {
  const { connection, server } = await startCompressed(t);
  const streams = await Promise.all(
    Array.from({ length: 3 }, () => connection.dial({ kind: 'tcp', host: 'there', port: 1 })),
  );
  const data = Buffer.alloc(16 * 1024, 'x');
  const broken = streams.map(async (stream) => {
    const end = finished(stream).catch((error: unknown) => error);
    const write = (): void => {
      if (!stream.destroyed) stream.write(data, () => setImmediate(write));
    };
    write();
    return await end;
  });
  setTimeout(() => server.end(), 50);
  for (const error of await Promise.all(broken))
    assert.ok(error instanceof ConnectionLostError, String(error));
  assert.ok((await connection.closed) instanceof ConnectionLostError);
});
