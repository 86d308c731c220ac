import assert from 'node:assert/strict';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { needs } from '../../rig/requirements.ts';
import { closesFirst } from '../../rig/servers.ts';
import { connectIn, startOpensshRig } from './openssh.ts';

test('a command runs there, and its output and status come back', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const connection = await connectIn(rig, (await rig.sshd()).client);

  const plain = await connection.exec("echo out; echo 'it''s err' >&2; cat; exit 7");
  assert.deepEqual(plain, { stdout: 'out\n', stderr: 'its err\n', status: 7 });
  assert.equal((await connection.exec('exit 255')).status, 255);
  assert.equal((await connection.exec('kill -9 $$')).status, undefined);
  assert.equal((await connection.exec('head -c 3000000 /dev/zero')).stdout.length, 1024 * 1024);
});

test('a command there does not get at the agent, whatever the configuration says', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const connection = await connectIn(rig, (await rig.sshd()).writeClient({ config: ['ForwardAgent yes'] }));

  assert.equal((await connection.exec('echo "agent: $SSH_AUTH_SOCK"')).stdout, 'agent: \n');
});

test('a command that does not end is given up, and the next one runs', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const connection = await connectIn(rig, (await rig.sshd()).client);

  await assert.rejects(connection.exec('exec sleep 60', 300), { code: 'no-answer' });
  assert.equal((await connection.exec('echo on')).stdout, 'on\n');
});

test('a host without sessions refuses commands, and still forwards', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const connection = await connectIn(rig, (await rig.sshd({ config: ['MaxSessions 0'] })).client);
  const server = await rig.serve(closesFirst('here'));

  await assert.rejects(connection.exec('true'), { code: 'exec-refused' });
  await assert.rejects(connection.dial({ kind: 'unix', path: '~/app.sock' }), { code: 'home-unknown' });
  assert.equal(
    await text(await connection.dial({ kind: 'tcp', host: '127.0.0.1', port: server.port })),
    'here',
  );
});

test('the home of a host that offers only SFTP is found', async (t) => {
  if (!needs(t, 'sshd', 'root')) return;
  const rig = await startOpensshRig(t);
  const user = await rig.user();
  const sshd = await rig.sshd({ user, config: ['ForceCommand internal-sftp'] });
  await rig.serve(closesFirst('here'), { path: join(user.home, 'app.sock') });
  await rig.run(['chmod', '777', join(user.home, 'app.sock')]);
  const connection = await connectIn(rig, sshd.client);

  assert.equal(await text(await connection.dial({ kind: 'unix', path: '~/app.sock' })), 'here');
});
