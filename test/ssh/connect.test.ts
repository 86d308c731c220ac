import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectError } from '../../src/errors.ts';
import { connect } from '../../src/ssh/connect.ts';
import { needs } from '../rig/requirements.ts';
import { startRig } from '../rig/rig.ts';
import type { Sshd } from '../rig/sshd.ts';
import { contextOf, nothingTold, settingsOf } from './ssh2/ssh2.ts';

const SNTRUP = 'KexAlgorithms sntrup761x25519-sha512@openssh.com';

/** Connects and closes; gives what was told. */
async function visit({ client }: Sshd): Promise<string> {
  const told = nothingTold();
  const flags = { configFile: client.configFile };
  const connection = await connect(await settingsOf(client), flags, contextOf(told), 'auto');
  await connection.close();
  return told.text;
}

function attempts(sshd: Sshd): number {
  return sshd.log().match(/^Connection from /gm)?.length ?? 0;
}

test('a server with none of the algorithms of ssh2 is reached with the ssh program, and not tried with ssh2 again', async (t) => {
  if (!needs(t, 'sshd', 'ssh')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd({ config: [SNTRUP] });
  const why = /transport openssh: ssh2 and vps have no key exchange algorithm in common/;
  assert.match(await visit(sshd), why);
  assert.equal(attempts(sshd), 2);
  const again = await visit(sshd);
  assert.match(again, why);
  assert.doesNotMatch(again, /transport ssh2/);
  assert.equal(attempts(sshd), 3);
});

test('where there is no ssh program, the algorithm that ssh2 lacks is what is told', async (t) => {
  if (!needs(t, 'sshd', 'ssh')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd({ config: [SNTRUP] });
  const before = process.env['PATH'];
  t.after(() => {
    process.env['PATH'] = before;
  });
  process.env['PATH'] = rig.folder('empty');
  await assert.rejects(visit(sshd), (error: unknown) => {
    assert.ok(error instanceof ConnectError);
    assert.equal(error.code, 'no-common-algorithm');
    assert.match(error.hint.join('\n'), /--transport openssh/);
    return true;
  });
  process.env['PATH'] = before;
  await visit(sshd);
});
