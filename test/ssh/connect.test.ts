import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { ConnectError } from '../../src/errors.ts';
import { connect } from '../../src/ssh/connect.ts';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
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

/** What `visit` rejects with where no program is in the PATH. */
async function failureWithoutSsh(rig: Rig, sshd: Sshd): Promise<ConnectError> {
  const before = process.env['PATH'];
  process.env['PATH'] = rig.folder('empty');
  try {
    const error = await visit(sshd).catch((failure: unknown) => failure);
    assert.ok(error instanceof ConnectError, String(error));
    return error;
  } finally {
    process.env['PATH'] = before;
  }
}

test('where there is no ssh program, the algorithm that ssh2 lacks is what is told', async (t) => {
  if (!needs(t, 'sshd', 'ssh')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd({ config: [SNTRUP] });
  const error = await failureWithoutSsh(rig, sshd);
  assert.equal(error.code, 'no-common-algorithm');
  assert.match(error.hint.join('\n'), /--transport openssh/);
  await visit(sshd);
});

test('where there is no ssh program, it is told what wants it', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  writeFileSync(`${sshd.identity.file}-cert.pub`, '');
  const error = await failureWithoutSsh(rig, sshd);
  assert.equal(error.code, 'ssh-missing');
  assert.match(error.hint.join('\n'), /needed here: there is a certificate for an identity file/);
});
