import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ConnectError } from '../../../src/errors.ts';
import { PrivateDir } from '../../../src/ssh/openssh/private-dir.ts';
import { startServer } from '../../rig/processes.ts';
import { needs } from '../../rig/requirements.ts';
import { connectIn, helperProcesses, privateDirs, rejection, startOpensshRig } from './openssh.ts';

const owner = fileURLToPath(new URL('owner.ts', import.meta.url));

test('when the program is killed with SIGKILL, ssh and the directory of its sockets go too', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const { client } = await rig.sshd();
  const program = await rig.own(
    startServer({
      command: [process.execPath, '--import', 'tsx', owner, client.name, client.configFile],
      cwd: process.cwd(),
      env: { ...process.env, TMPDIR: rig.dir },
      ready: (output) => output.includes('ready'),
      stopSignal: 'SIGKILL',
    }),
  );
  assert.notDeepEqual(await helperProcesses(rig), []);

  process.kill(program.pid, 'SIGKILL');

  const deadline = Date.now() + 20_000;
  const left = async (): Promise<unknown[]> => [...(await helperProcesses(rig)), ...privateDirs(rig)];
  while ((await left()).length > 0 && Date.now() < deadline) await sleep(50);
  assert.deepEqual(await left(), []);
});

test('the directory of the sockets is for us alone', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  await connectIn(rig, (await rig.sshd()).client);

  const [dir = ''] = privateDirs(rig);
  assert.equal(statSync(dir).mode & 0o777, 0o700);
});

test('a temporary directory whose path is too long for sockets is not used', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const { client } = await rig.sshd();
  const long = join(rig.dir, 'a-directory-of-a-long-name-that-leaves-no-room-for-a-socket');
  mkdirSync(long);
  process.env['TMPDIR'] = long;
  const connection = await connectIn(rig, client);

  assert.equal((await connection.exec('echo on')).stdout, 'on\n');
  assert.deepEqual(readdirSync(long), []);
});

test('a temporary directory whose path would have to be quoted is not used', async (t) => {
  const rig = await startOpensshRig(t);
  const odd = join(rig.dir, 'a b');
  mkdirSync(odd);
  process.env['TMPDIR'] = odd;
  const dir = await PrivateDir.create();
  await dir.remove();

  assert.doesNotMatch(dir.path, / /);
});

test('a temporary directory that is not there is an error that names TMPDIR', async (t) => {
  const rig = await startOpensshRig(t);
  process.env['TMPDIR'] = join(rig.dir, 'none');
  const error = await rejection(PrivateDir.create());

  assert.ok(error instanceof ConnectError, String(error));
  assert.equal(error.code, 'temp-dir');
  assert.ok(error.message.includes(`${rig.dir}/none: ENOENT`), error.message);
  assert.match(error.hint.join(), /TMPDIR/);
});
