import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../../../src/ssh/ssh2/connect.ts';
import { needs } from '../../rig/requirements.ts';
import { startRig } from '../../rig/rig.ts';
import { freePort } from '../../rig/servers.ts';
import { contextOf, login, nothingTold, refusal, settingsOf } from './ssh2.ts';

test('BindAddress is where the connection comes from, as an address and as a name', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  for (const [address, seen] of [
    ['127.0.0.9', '127.0.0.9'],
    ['localhost', '127.0.0.1'],
  ]) {
    const config = [`BindAddress ${address}`, 'AddressFamily inet'];
    await login(rig, sshd.writeClient({ name: 'bound', config }));
    assert.match(sshd.log(), new RegExp(`Accepted publickey for \\S+ from ${seen} `));
  }
});

test('a BindAddress that is not of this machine, or no address at all, is named', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  for (const address of ['192.0.2.1', 'no-such-name.invalid']) {
    const error = await refusal(sshd.writeClient({ config: [`BindAddress ${address}`] }));
    assert.equal(error.code, 'bad-bind-address');
    assert.match(error.hint.join('\n'), /BindAddress/);
  }
});

test('AddressFamily leaves addresses of the other family out', async (t) => {
  if (!needs(t, 'sshd', 'ipv6')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd({ listenAddress: '::1' });
  const client = (family: string) => sshd.writeClient({ name: family, config: [`AddressFamily ${family}`] });
  assert.match((await login(rig, client('inet6'))).address, /^\[::1\]:/);
  assert.equal((await refusal(client('inet'))).code, 'unknown-host');
});

test('ConnectionAttempts is how often each address is tried', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const client = sshd.writeClient({ port: await freePort(), config: ['ConnectionAttempts 3'] });
  const told = nothingTold();
  assert.equal((await refusal(client, undefined, told)).code, 'refused');
  assert.equal(told.debug.filter((line) => line.endsWith('ECONNREFUSED')).length, 3);
});

test('the wait between two attempts ends with the signal', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const client = sshd.writeClient({ port: await freePort(), config: ['ConnectionAttempts 1000'] });
  const giveUp = new AbortController();
  const told = nothingTold();
  const context = {
    ...contextOf(told),
    signal: giveUp.signal,
    debug: () => setImmediate(() => giveUp.abort(new Error('given up'))),
  };
  await assert.rejects(connect(await settingsOf(client), context), /given up/);
});
