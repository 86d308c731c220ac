import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { ConnectionLostError } from '../../../src/errors.ts';
import { needs } from '../../rig/requirements.ts';
import { freePort, silent, source } from '../../rig/servers.ts';
import {
  connectIn,
  helperProcesses,
  masterProcess,
  privateDirs,
  rejection,
  startOpensshRig,
} from './openssh.ts';

const PLENTY = 512 * 1024 * 1024;

for (const end of ['ssh is killed', 'the network resets the connection'] as const) {
  test(`when ${end}, streams fail and never end as complete`, async (t) => {
    if (!needs(t, 'sshd')) return;
    const rig = await startOpensshRig(t);
    const sshd = await rig.sshd({ relay: true });
    const connection = await connectIn(rig, sshd.client);
    const [tap, mute] = [await rig.serve(source('down', PLENTY)), await rig.serve(silent)];
    const busy = await connection.dial({ kind: 'tcp', host: '127.0.0.1', port: tap.port });
    const idle = await connection.dial({ kind: 'tcp', host: '127.0.0.1', port: mute.port });
    const fates = [fate(busy), fate(idle)];
    await once(
      busy.on('data', () => undefined),
      'data',
    );
    idle.resume();

    const ssh = await masterProcess(rig);
    if (end === 'ssh is killed') process.kill(ssh, 'SIGKILL');
    else sshd.relay?.drop();

    for (const outcome of await Promise.all(fates)) {
      assert.ok(outcome instanceof ConnectionLostError, String(outcome));
    }
    assert.ok((await connection.closed) instanceof ConnectionLostError);
    const late = await rejection(connection.dial({ kind: 'tcp', host: '127.0.0.1', port: tap.port }));
    assert.ok(late instanceof ConnectionLostError, String(late));
    await assert.rejects(connection.exec('true'), ConnectionLostError);
    await assert.rejects(
      connection.listen({ kind: 'tcp', port: 'auto' }, () => undefined),
      ConnectionLostError,
    );
    assert.deepEqual(privateDirs(rig), []);
  });
}

test('a dial under way when the connection is lost rejects', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd({ relay: true });
  const connection = await connectIn(rig, sshd.client);

  sshd.relay?.blackhole(true);
  const dialled = rejection(connection.dial({ kind: 'tcp', host: '127.0.0.1', port: sshd.port }));
  const ssh = await masterProcess(rig);
  process.kill(ssh, 'SIGKILL');

  assert.ok((await dialled) instanceof ConnectionLostError);
});

test('a server that no longer answers is given up as ServerAliveInterval says', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd({ relay: true });
  const config = ['ServerAliveInterval 1', 'ServerAliveCountMax 1'];
  const connection = await connectIn(rig, sshd.writeClient({ config }));

  sshd.relay?.blackhole(true);

  assert.equal((await connection.closed)?.code, 'no-answer');
});

test('what the configuration forwards or runs is not opened by ssh', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd();
  const port = await freePort();
  const config = [`LocalForward 127.0.0.1:${port} localhost:1`, 'RemoteCommand false', 'RequestTTY force'];
  const connection = await connectIn(rig, sshd.writeClient({ config }));

  assert.equal((await connection.exec('echo on')).stdout, 'on\n');
  await assert.rejects(once(connect(port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
});

test('close ends ssh and removes what it had; streams fail', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd();
  const connection = await connectIn(rig, sshd.client);
  const server = await rig.serve(silent);
  const outcome = fate(await connection.dial({ kind: 'tcp', host: '127.0.0.1', port: server.port }));
  assert.equal(privateDirs(rig).length, 1);

  await connection.close();

  assert.equal(await connection.closed, undefined);
  assert.ok((await outcome) instanceof ConnectionLostError);
  assert.deepEqual(await helperProcesses(rig), []);
  assert.deepEqual(privateDirs(rig), []);
});

test('close ends an ssh that cannot say goodbye, too', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const connection = await connectIn(rig, (await rig.sshd()).client);
  const ssh = await masterProcess(rig);
  process.kill(ssh, 'SIGSTOP');

  await connection.close();

  assert.deepEqual(await helperProcesses(rig), []);
});

/** What became of a stream that is read by somebody else. */
function fate(stream: Duplex): Promise<unknown> {
  return new Promise((resolve) => {
    stream.once('error', resolve);
    stream.once('end', () => resolve('it ended'));
  });
}
