import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import ssh2 from 'ssh2';
import type { Question } from '../../../src/ssh/context.ts';
import { generateKeys } from '../../rig/generate-keys.ts';
import { needs } from '../../rig/requirements.ts';
import type { Rig } from '../../rig/rig.ts';
import type { SshClient } from '../../rig/ssh-client.ts';
import { makeKey } from '../../rig/ssh-keys.ts';
import {
  clientOf,
  connectAs,
  connectIn,
  nothingLeft,
  nothingTold,
  passwordHost,
  refusal,
  startOpensshRig,
} from './openssh.ts';

test('a passphrase is asked for, unlocks the key, and is in no process and no file', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd();
  const secret = 'correct-horse-battery-staple';
  const identity = await makeKey(join(rig.dir, 'id_locked'), 'ed25519', secret);
  sshd.authorize(identity.publicKey);
  const questions: Question[] = [];
  const told = nothingTold();
  const seen: string[] = [];
  const ask = async (question: Question): Promise<string> => {
    questions.push(question);
    seen.push(...tracesOf(secret, rig.dir));
    return secret;
  };

  const connection = await connectIn(rig, sshd.writeClient({ identity }), { ask, told });
  seen.push(...tracesOf(secret, rig.dir));

  assert.equal((await connection.exec('echo in')).stdout, 'in\n');
  assert.deepEqual(questions, [{ text: `Enter passphrase for key '${identity.file}': `, echo: false }]);
  assert.deepEqual(seen, []);
  assert.ok(!JSON.stringify(told).includes(secret));
});

test('a password is asked for anew when it was wrong, and the right one logs in', async (t) => {
  if (!needs(t, 'ssh')) return;
  const rig = await startOpensshRig(t);
  const { client, user } = await passwordHost(rig, 'right');
  const answers = ['wrong', 'right'];
  const questions: Question[] = [];
  const told = nothingTold();

  const connection = await connectIn(rig, client, {
    told,
    ask: async (question) => {
      questions.push(question);
      return answers.shift();
    },
  });

  assert.equal((await connection.exec('echo in')).stdout, 'in\n');
  assert.deepEqual(questions, [
    { text: `${user}@127.0.0.1's password: `, echo: false },
    { text: `${user}@127.0.0.1's password: `, echo: false },
  ]);
  assert.deepEqual(told.warnings, ['Permission denied, please try again.']);
});

test('a question that is declined ends the login; no empty password is tried', async (t) => {
  if (!needs(t, 'ssh')) return;
  const rig = await startOpensshRig(t);
  const { client } = await passwordHost(rig, '');
  let asked = 0;

  const error = await refusal(client, async () => {
    asked += 1;
    return undefined;
  });

  assert.equal(error.code, 'authentication-failed');
  assert.equal(asked, 1);
  await nothingLeft(rig);
});

test('several rounds of keyboard-interactive are asked, and what the server says is shown', async (t) => {
  if (!needs(t, 'ssh')) return;
  const rig = await startOpensshRig(t);
  const server = await startTwoRounds(rig);
  const told = nothingTold();
  const asked: string[] = [];

  await connectIn(rig, server, {
    told,
    ask: async ({ text: question }) => {
      asked.push(question);
      return question.includes('Code') ? '123456' : 'pin';
    },
  });

  assert.equal(asked.length, 2);
  assert.match(asked[0] ?? '', /PIN: $/);
  assert.match(asked[1] ?? '', /Code: $/);
  assert.ok(
    told.warnings.some((line) => /^Welcome to [\x20-\x7e]*the machine$/.test(line)),
    String(told.warnings),
  );
});

test('an unknown host key is asked about, whole, and a yes is remembered', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd();
  const client = sshd.writeClient({ known: false });
  const questions: Question[] = [];
  const ask = async (question: Question): Promise<string> => {
    questions.push(question);
    return 'yes';
  };

  await (await connectAs(client, { ask })).close();
  await (await connectAs(client, { ask })).close();

  assert.equal(questions.length, 1);
  assert.equal(questions[0]?.echo, true);
  assert.match(
    questions[0].text,
    /^The authenticity of host [^]*continue connecting \(yes\/no\/\[fingerprint\]\)\? $/,
  );
  assert.ok(questions[0].text.includes(sshd.hostKeys[0]?.fingerprint ?? 'no key'));
});

/** A server that asks for a PIN and then for a code. */
async function startTwoRounds(rig: Rig): Promise<SshClient> {
  const keys = generateKeys();
  const server = new ssh2.Server(
    { hostKeys: [keys.private], banner: 'Welcome to \x1b[31mthe machine\nBehave\r\n' },
    (connection) => {
      connection.on('error', () => undefined);
      connection.on('authentication', (context) => {
        if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
        context.prompt([{ prompt: 'PIN: ', echo: false }], ([pin]) => {
          context.prompt([{ prompt: 'Code: ', echo: false }], ([code]) => {
            if (pin === 'pin' && code === '123456') context.accept();
            else context.reject();
          });
        });
      });
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await rig.own(Promise.resolve({ stop: async () => void server.close() }));
  return await clientOf(rig, (server.address() as AddressInfo).port, keys.public.trim());
}

/** Processes and files of a folder in which a secret stands. Only Linux lets us look at all of them. */
function tracesOf(secret: string, dir: string): string[] {
  const processes =
    process.platform === 'linux' ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : [];
  const places = processes.flatMap((pid) => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`]);
  const files = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return [...places, ...files].filter((place) => contains(place, secret));
}

function contains(file: string, secret: string): boolean {
  try {
    return readFileSync(file).includes(secret);
  } catch {
    // The process has ended meanwhile.
    return false;
  }
}
