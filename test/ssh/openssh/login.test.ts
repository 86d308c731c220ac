import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { needs } from '../../rig/requirements.ts';
import { mustRun } from '../../rig/run.ts';
import { closesFirst } from '../../rig/servers.ts';
import { makeKey } from '../../rig/ssh-keys.ts';
import { connectAs, connectIn, nothingLeft, nothingTold, startOpensshRig } from './openssh.ts';

test('a user certificate logs in, with phases told in order', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const authority = await makeKey(join(rig.dir, 'ca'));
  const key = await makeKey(join(rig.dir, 'id_certified'));
  const sshd = await rig.sshd({ config: [`TrustedUserCAKeys ${authority.file}.pub`] });
  const sign = ['ssh-keygen', '-q', '-s', authority.file, '-I', 'me', '-n', sshd.client.user, '-V', '+1h'];
  await mustRun([...sign, `${key.file}.pub`], { env: rig.env });
  const told = nothingTold();

  const connection = await connectIn(rig, sshd.writeClient({ identity: key }), { told });

  assert.equal((await connection.exec('echo in')).stdout, 'in\n');
  assert.deepEqual(told.phases, ['resolving', 'connecting', 'authenticating']);
  assert.deepEqual(told.warnings, []);
});

test('an aborted login rejects with the reason of its signal and leaves nothing', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd();
  const abort = new AbortController();
  const reason = new Error('given up');
  let withdrawn: AbortSignal | undefined;

  const connecting = connectAs(sshd.writeClient({ known: false }), {
    signal: abort.signal,
    ask: async (_question, signal) => {
      withdrawn = signal;
      abort.abort(reason);
      return await new Promise(() => undefined);
    },
  });

  await assert.rejects(connecting, reason);
  assert.equal(withdrawn?.aborted, true);
  await nothingLeft(rig);
});

test('a jump host is gone through, with its own key and user questions', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const [jump, target] = [await rig.sshd(), await rig.sshd()];
  const client = target.writeClient({ config: ['ProxyJump jump'] });
  const hop = jump.writeClient({ name: 'jump', known: false });
  writeFileSync(
    client.configFile,
    readFileSync(client.configFile, 'utf8') + readFileSync(hop.configFile, 'utf8'),
  );
  const server = await rig.serve(closesFirst('through'));
  const asked: string[] = [];

  const connection = await connectIn(rig, client, {
    ask: async ({ text: question }) => {
      asked.push(question);
      return 'yes';
    },
  });

  assert.equal(asked.length, 1);
  assert.ok(asked[0]?.includes(`[127.0.0.1]:${jump.port}`));
  assert.match(connection.address, / via jump$/);
  assert.equal(
    await text(await connection.dial({ kind: 'tcp', host: '127.0.0.1', port: server.port })),
    'through',
  );
});
