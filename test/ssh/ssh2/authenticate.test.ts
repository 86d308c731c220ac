import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Ask } from '../../../src/ssh/context.ts';
import { connect } from '../../../src/ssh/ssh2/connect.ts';
import { needs } from '../../rig/requirements.ts';
import { startRig, type Rig } from '../../rig/rig.ts';
import { run } from '../../rig/run.ts';
import { makeKey } from '../../rig/ssh-keys.ts';
import type { Sshd } from '../../rig/sshd.ts';
import type { TestUser } from '../../rig/users.ts';
import { answers, contextOf, login, nothingTold, refusal, settingsOf, startAgent } from './ssh2.ts';
import { askRounds, clientOf, startSsh2Server, type Round } from './ssh2-server.ts';

const PASSWORD = 'a-Password-of-the-rig-7';

/** Logs in as a real user with a password, as real sshd checks it. */
async function startWithPassword(
  t: TestContext,
  config: readonly string[],
): Promise<{ rig: Rig; sshd: Sshd; user: TestUser } | undefined> {
  if (!needs(t, 'sshd', 'root')) return undefined;
  const rig = await startRig(t);
  const user = await rig.user();
  const { status, stderr } = await run(['chpasswd'], { env: rig.env, input: `${user.name}:${PASSWORD}\n` });
  assert.equal(status, 0, stderr);
  return { rig, sshd: await rig.sshd({ user, config }), user };
}

for (const [method, config] of [
  ['password', ['PasswordAuthentication yes']],
  ['keyboard-interactive', ['KbdInteractiveAuthentication yes', 'UsePAM yes']],
] as const) {
  test(`${method}: the right answer gets in, a wrong one is asked for again, up to NumberOfPasswordPrompts`, async (t) => {
    const started = await startWithPassword(t, [...config, 'PubkeyAuthentication no']);
    if (started === undefined) return;
    const { rig, sshd } = started;
    const told = nothingTold();
    await login(rig, sshd.client, answers('wrong-1', PASSWORD), told);
    assert.equal(told.questions.length, 2);
    assert.ok(told.questions.every(({ echo }) => !echo));
    assert.ok(!told.text.includes(PASSWORD) && !told.text.includes('wrong-1'));

    const client = sshd.writeClient({ name: 'twice', config: ['NumberOfPasswordPrompts 2'] });
    const refused = nothingTold();
    const error = await refusal(client, answers('wrong-1', 'wrong-2', PASSWORD), refused);
    assert.equal(refused.questions.length, 2);
    assert.match(error.hint.join('\n'), new RegExp(`Tried: .*${method} \\(2 times\\)`));
    assert.match(error.hint.join('\n'), new RegExp(`The server accepts: ${method}`));
    assert.doesNotMatch(JSON.stringify([error, error.hint, error.stack]) + refused.text, /wrong-\d/);
  });

  test(`${method}: nobody is asked in BatchMode or where nobody can answer, and it says so`, async (t) => {
    const started = await startWithPassword(t, [...config, 'PubkeyAuthentication no']);
    if (started === undefined) return;
    const { sshd } = started;
    const told = nothingTold();
    await refusal(sshd.writeClient({ name: 'batch', config: ['BatchMode yes'] }), answers(PASSWORD), told);
    assert.deepEqual(told.questions, []);
    const error = await refusal(sshd.client);
    assert.match(error.hint.join('\n'), /nobody to ask/);
  });
}

test('whoever declines is not asked again', async (t) => {
  const started = await startWithPassword(t, [
    'PubkeyAuthentication no',
    'PasswordAuthentication yes',
    'KbdInteractiveAuthentication yes',
    'UsePAM yes',
  ]);
  if (started === undefined) return;
  const told = nothingTold();
  await refusal(started.sshd.client, answers(), told);
  assert.equal(told.questions.length, 2);
});

test('PreferredAuthentications is the order in which methods are tried', async (t) => {
  const started = await startWithPassword(t, ['PasswordAuthentication yes']);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const config = ['PreferredAuthentications password,publickey'];
  const told = nothingTold();
  await login(rig, sshd.writeClient({ name: 'first', config }), answers(PASSWORD), told);
  assert.equal(told.questions.length, 1);
  // With a method left out, the other gets in.
  await login(rig, sshd.writeClient({ name: 'only', config: ['PreferredAuthentications publickey'] }));
});

for (const [methods, config, asked] of [
  ['publickey,password', ['PasswordAuthentication yes'], 1],
  ['publickey,keyboard-interactive', ['KbdInteractiveAuthentication yes', 'UsePAM yes'], 1],
  ['publickey,publickey', [], 0],
  ['publickey,publickey,password', ['PasswordAuthentication yes'], 1],
] as const) {
  for (const source of ['files', 'an agent'] as const) {
    test(`partial success: AuthenticationMethods ${methods} with keys from ${source}`, async (t) => {
      const started = await startWithPassword(t, [...config, `AuthenticationMethods ${methods}`]);
      if (started === undefined) return;
      const { rig, sshd } = started;
      const second = await makeKey(join(rig.folder('keys'), 'second'), 'ecdsa');
      sshd.authorize(second.publicKey);
      const agent = source === 'files' ? 'none' : await startAgent(rig, sshd.identity.file, second.file);
      const client = sshd.writeClient({
        name: 'partial',
        config: [`IdentityFile ${second.file}`, `IdentityAgent ${agent}`],
      });
      const told = nothingTold();
      const connection = await login(rig, client, answers(PASSWORD), told);
      assert.equal((await connection.exec('echo in')).stdout, 'in\n');
      assert.equal(told.questions.length, asked);
      const error = await refusal(
        sshd.writeClient({ name: 'alone', config: ['PreferredAuthentications publickey'], identity: second }),
      ).catch(() => undefined);
      assert.match(error?.hint.join('\n') ?? '', /accepted in part/);
    });
  }
}

test('a password that is wrong after a key was accepted says what was tried and what is still wanted', async (t) => {
  const started = await startWithPassword(t, [
    'PasswordAuthentication yes',
    'AuthenticationMethods publickey,password',
  ]);
  if (started === undefined) return;
  const error = await refusal(started.sshd.client, answers('wrong'));
  assert.match(error.hint.join('\n'), /Tried: \S+id_ed25519, \(accepted in part\), password/);
  assert.match(error.hint.join('\n'), /The server accepts: password\./);
});

test('the banner is shown before anything is asked', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const banner = join(rig.dir, 'banner');
  writeFileSync(banner, 'Authorised users only.\nReally.\n');
  const sshd = await rig.sshd({ config: [`Banner ${banner}`] });
  const told = nothingTold();
  await login(rig, sshd.client, undefined, told);
  assert.ok(told.warnings.includes('Authorised users only.\nReally.'));
});

test('PubkeyAcceptedAlgorithms leaves keys of other types out', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const rsa = await makeKey(join(rig.folder('keys'), 'rsa'), 'rsa');
  sshd.authorize(rsa.publicKey);
  const config = [`IdentityFile ${rsa.file}`];
  await refusal(sshd.writeClient({ name: 'none', config: ['PubkeyAcceptedAlgorithms ecdsa-sha2-nistp256'] }));
  assert.doesNotMatch(sshd.log(), /publickey/);
  await login(
    rig,
    sshd.writeClient({ name: 'rsa', config: [...config, 'PubkeyAcceptedAlgorithms rsa-sha2-*'] }),
  );
  assert.match(sshd.log(), /Accepted publickey.*RSA/);
});

const TWO_ROUNDS: readonly Round[] = [
  {
    instructions: 'First who you are.',
    prompts: [
      { prompt: 'Badge number: ', echo: true, answer: '007' },
      { prompt: 'PIN: ', echo: false, answer: 'pin-4711' },
    ],
  },
  { prompts: [] },
  { prompts: [{ prompt: 'Verification code: ', echo: false, answer: 'code-123456' }] },
];

test('keyboard-interactive in several rounds of several prompts is answered in order', async (t) => {
  const rig = await startRig(t);
  const server = await rig.own(
    startSsh2Server((connection) =>
      connection.on('authentication', (context) => askRounds(context, TWO_ROUNDS)),
    ),
  );
  const client = await clientOf(rig, server);
  const told = nothingTold();
  await login(rig, client, answers('007', 'pin-4711', 'code-123456'), told);
  assert.deepEqual(
    told.questions.map(({ text, echo }) => [text, echo]),
    [
      ['(deploy@vps) Badge number: ', true],
      ['(deploy@vps) PIN: ', false],
      ['(deploy@vps) Verification code: ', false],
    ],
  );
  assert.deepEqual(told.warnings, ['First who you are.']);
  assert.doesNotMatch(told.text, /4711|123456/);

  const refused = nothingTold();
  const all = ['007', 'pin-4711', 'wrong-code'];
  const error = await refusal(client, answers(...all, ...all, ...all, ...all), refused);
  assert.equal(refused.questions.length, 9);
  assert.equal(error.exitStatus, 255);
  assert.match(error.hint.join('\n'), /keyboard-interactive \(3 times\)/);
  assert.doesNotMatch(`${refused.text}${error.stack}${error.hint.join()}`, /wrong-code|4711/);
});

test('whoever declines a prompt is asked nothing more in its round and in later ones', async (t) => {
  const rig = await startRig(t);
  const given: string[][] = [];
  const server = await rig.own(
    startSsh2Server((connection) =>
      connection.on('authentication', (context) => {
        if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
        const prompts = ['one', 'two'].map((prompt) => ({ prompt, echo: true }));
        context.prompt(prompts, '', 'First.', (first) => {
          context.prompt(prompts, '', 'Second.', (second) => {
            given.push(first, second);
            context.reject(['keyboard-interactive']);
          });
        });
      }),
    ),
  );
  const told = nothingTold();
  const error = await refusal(await clientOf(rig, server), answers(), told);
  assert.equal(error.code, 'authentication-failed');
  assert.equal(told.questions.length, 1);
  assert.deepEqual(told.warnings, ['First.']);
  assert.deepEqual(given, [
    ['', ''],
    ['', ''],
  ]);
});

test('a question that cannot be asked ends the login with its error', async (t) => {
  const rig = await startRig(t);
  const server = await rig.own(
    startSsh2Server((connection) =>
      connection.on('authentication', (context) => askRounds(context, TWO_ROUNDS)),
    ),
  );
  const broken: Ask = () => Promise.reject(new Error('the terminal is gone'));
  const settings = await settingsOf(await clientOf(rig, server));
  await assert.rejects(connect(settings, contextOf(nothingTold(), broken)), /the terminal is gone/);
});

test('a server that offers keyboard-interactive and never asks is not tried in vain', async (t) => {
  const rig = await startRig(t);
  let tried = 0;
  const server = await rig.own(
    startSsh2Server((connection) =>
      connection.on('authentication', (context) => {
        if (context.method === 'keyboard-interactive') tried += 1;
        context.reject(['keyboard-interactive']);
      }),
    ),
  );
  const never: Ask = () => assert.fail('nothing is to be asked');
  await refusal(await clientOf(rig, server), never);
  assert.equal(tried, 1);
});

test('a connection that is given up during a question ends at once', async (t) => {
  const started = await startWithPassword(t, ['PasswordAuthentication yes', 'PubkeyAuthentication no']);
  if (started === undefined) return;
  const giveUp = new AbortController();
  const reason = new Error('given up');
  const asking: Ask = async () => {
    giveUp.abort(reason);
    return await new Promise(() => undefined);
  };
  const context = { ...contextOf(nothingTold(), asking), signal: giveUp.signal };
  await assert.rejects(connect(await settingsOf(started.sshd.client), context), reason);
});

test('a key that asks nobody signs in the first request, which goes out with the one for the service', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const told = nothingTold();
  await login(rig, sshd.client, undefined, told);
  const at = (pattern: RegExp): number => told.trace.findIndex((line) => pattern.test(line));
  const [signed, accepted] = [at(/Sending USERAUTH_REQUEST \(publickey\)/), at(/Received SERVICE_ACCEPT/)];
  assert.ok(0 <= signed && signed < accepted, told.text);
  assert.equal(at(/publickey -- check/), -1);
  assert.equal(told.trace.filter((line) => line.includes('Sending USERAUTH_REQUEST')).length, 1);
});

test('a key of an agent, or one with a passphrase, signs only for a server that accepts it', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const locked = await makeKey(join(rig.folder('locked'), 'key'), 'ed25519', 'words');
  const agent = await startAgent(rig, sshd.identity.file);
  for (const config of [[`IdentityAgent ${agent}`], [`IdentityFile ${locked.file}`]]) {
    const client = sshd.writeClient({ name: 'other', config });
    const told = nothingTold();
    await login(rig, client, answers(), told);
    assert.match(told.text, /publickey -- check/);
    assert.deepEqual(told.questions, []);
  }
});
