import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { Agent } from '../../../src/ssh/ssh2/agent.ts';
import { wireString, wireUint32 } from '../../../src/ssh/wire.ts';
import { needs } from '../../rig/requirements.ts';
import { startRig } from '../../rig/rig.ts';
import { mustRun } from '../../rig/run.ts';
import { makeKey } from '../../rig/ssh-keys.ts';
import { startAgentDouble, startFidoAgent } from './agent-double.ts';
import { answers, login, nothingTold, refusal, sshAdd, startAgent } from './ssh2.ts';

/** What sshd saw offered and refused or taken, in order, by fingerprint. */
function seen(log: string): string[] {
  return [...log.matchAll(/(?:Failed|Accepted) publickey.* (SHA256:\S+)/g)].map(([, print = '']) => print);
}

test('of the keys that the agent holds, those that a file names come first, in the order of the agent', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const folder = rig.folder('keys');
  const [a, b, c, alone] = [
    await makeKey(join(folder, 'a')),
    await makeKey(join(folder, 'b')),
    await makeKey(join(folder, 'c')),
    await makeKey(join(folder, 'alone')),
  ];
  const agent = await startAgent(rig, a.file, b.file, c.file);
  const client = sshd.writeClient({
    name: 'order',
    identity: alone,
    config: [
      `IdentityAgent ${agent}`,
      'IdentitiesOnly no',
      `IdentityFile ${c.file}`,
      `IdentityFile ${b.file}`,
    ],
  });
  const told = nothingTold();
  const error = await refusal(client, undefined, told);
  assert.equal(error.code, 'authentication-failed');
  const offered = told.debug.filter((line) => line.startsWith('offering')).join('\n');
  assert.deepEqual(
    seen(sshd.log()),
    [b, c, a, alone].map(({ fingerprint }) => fingerprint),
    offered,
  );
});

test('with ten keys in the agent, IdentitiesOnly and a .pub file choose the one that gets in', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd({ config: ['MaxAuthTries 6'] });
  const folder = rig.folder('keys');
  const keys = [];
  for (let i = 0; i < 10; i += 1) keys.push(await makeKey(join(folder, `key${i}`)));
  const [last] = keys.slice(-1);
  assert.ok(last);
  const agent = await startAgent(rig, ...keys.map(({ file }) => file));
  sshd.authorize(last.publicKey);
  const identity = { ...last, file: `${last.file}.pub` };
  rmSync(last.file);

  const all = sshd.writeClient({
    name: 'all',
    identity: { ...last, file: '/nonexistent' },
    config: [`IdentityAgent ${agent}`, 'IdentitiesOnly no'],
  });
  assert.equal((await refusal(all)).exitStatus, 255);

  const one = sshd.writeClient({ name: 'one', identity, config: [`IdentityAgent ${agent}`] });
  await login(rig, one);
  assert.deepEqual(seen(sshd.log()).slice(-1), [last.fingerprint]);

  // ssh names a key by the private file, too, of which only the public one is here.
  await login(rig, sshd.writeClient({ name: 'two', identity: last, config: [`IdentityAgent ${agent}`] }));
});

test('a .pub file whose key nobody holds is said to be one, and not offered', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const told = nothingTold();
  const identity = { ...sshd.identity, file: `${sshd.identity.file}.pub` };
  await refusal(sshd.writeClient({ name: 'public', identity }), undefined, told);
  assert.match(told.warnings.join('\n'), /is a public key, and the agent does not hold/);
  assert.deepEqual(seen(sshd.log()), []);
});

for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
  test(`an ${type} key that the agent holds signs, and so does its certificate`, async (t) => {
    if (!needs(t, 'sshd')) return;
    const rig = await startRig(t);
    const authority = await makeKey(join(rig.folder('ca'), 'ca'));
    const sshd = await rig.sshd({ config: [`TrustedUserCAKeys ${authority.file}.pub`] });
    const [plain, certified] = [
      await makeKey(join(rig.dir, 'plain'), type),
      await makeKey(join(rig.dir, 'cert'), type),
    ];
    sshd.authorize(plain.publicKey);
    const sign = ['ssh-keygen', '-q', '-s', authority.file, '-I', 'me', '-n', sshd.client.user, '-V', '+1h'];
    await mustRun([...sign, `${certified.file}.pub`], { env: rig.env });
    for (const { file } of [plain, certified]) {
      const agent = await startAgent(rig, file);
      const client = sshd.writeClient({
        name: 'agent',
        identity: { ...plain, file: '/nonexistent' },
        config: [`IdentityAgent ${agent}`, 'IdentitiesOnly no'],
      });
      const connection = await login(rig, client);
      assert.equal((await connection.exec('echo in')).stdout, 'in\n');
    }
    assert.match(sshd.log(), /Accepted publickey.*-CERT.*ID me/);
  });
}

test('a FIDO key that the agent holds gets in, among others that do not', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const agent = await rig.own(startFidoAgent(join(rig.folder('agent'), 'sock')));
  sshd.authorize(agent.publicKey);
  const stranger = await makeKey(join(rig.folder('keys'), 'stranger'));
  const client = sshd.writeClient({
    name: 'fido',
    identity: stranger,
    config: [`IdentityAgent ${agent.path}`, 'IdentitiesOnly no'],
  });
  const connection = await login(rig, client);
  assert.equal((await connection.exec('echo in')).stdout, 'in\n');
  assert.match(sshd.log(), /Accepted publickey.*ED25519-SK/);
});

test('a key of the agent that cannot be offered and one that it signs badly for are passed over', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const bad = await makeKey(join(rig.folder('keys'), 'bad'));
  sshd.authorize(bad.publicKey);
  const blobs = [
    Buffer.concat([wireString('ssh-ed448'), wireString(Buffer.alloc(57))]),
    Buffer.from(bad.publicKey.split(' ')[1] ?? '', 'base64'),
  ];
  const held = blobs.flatMap((blob) => [wireString(blob), wireString('a key')]);
  const path = join(rig.folder('agent'), 'sock');
  let signed = 0;
  await rig.own(
    startAgentDouble(path, (request) => {
      if (request[0] === 11) return Buffer.concat([Buffer.from([12]), wireUint32(blobs.length), ...held]);
      signed += 1;
      return Buffer.concat([Buffer.from([14]), wireString('x')]);
    }),
  );
  const told = nothingTold();
  const config = [`IdentityAgent ${path}`, 'IdentitiesOnly no'];
  await login(rig, sshd.writeClient({ name: 'odd', config }), undefined, told);
  assert.equal(signed, 1);
  assert.match(told.debug.join('\n'), /a key is ssh-ed448, which this program cannot offer/);
});

test('an agent that talks nonsense, hangs up or is not there is none', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const folder = rig.folder('agents');
  for (const [name, reply] of [
    ['nonsense', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['short', Buffer.from([0, 0, 0, 5, 12, 0, 0, 0, 9])],
    ['hangs-up', undefined],
  ] as const) {
    const path = join(folder, name);
    const server = createServer((socket) =>
      reply === undefined ? socket.destroy() : socket.end(reply),
    ).listen(path);
    await once(server, 'listening');
    await assert.rejects(new Agent(path).keys());
    await login(rig, sshd.writeClient({ name, config: [`IdentityAgent ${path}`] }));
    server.close();
  }
  await login(rig, sshd.writeClient({ name: 'absent', config: [`IdentityAgent ${join(folder, 'absent')}`] }));
});

for (const [type, value, question] of [
  ['ed25519', 'yes', 0],
  ['ecdsa', 'ask', 1],
  ['rsa', 'yes', 0],
] as const) {
  test(`AddKeysToAgent ${value} adds an ${type} key that a passphrase unlocked`, async (t) => {
    if (!needs(t, 'sshd')) return;
    const rig = await startRig(t);
    const sshd = await rig.sshd();
    const agent = await startAgent(rig);
    const key = await makeKey(join(rig.folder('keys'), 'locked'), type, 'a passphrase');
    sshd.authorize(key.publicKey);
    const config = [`IdentityAgent ${agent}`, `AddKeysToAgent ${value}`];
    const client = sshd.writeClient({ name: 'adds', identity: key, config });
    if (question > 0) {
      await login(rig, client, answers('a passphrase', 'no'));
      assert.notEqual((await sshAdd(rig, agent, '-l')).status, 0);
    }
    const told = nothingTold();
    await login(rig, client, answers('a passphrase', 'yes'), told);
    assert.equal(told.questions.length, 1 + question);
    assert.ok((await sshAdd(rig, agent, '-L')).stdout.includes(key.publicKey));

    const again = nothingTold();
    await login(rig, client, answers(), again);
    assert.deepEqual(again.questions, []);
  });
}

for (const [value, number, tail] of [
  ['yes', 17, ''],
  ['1h', 25, '0100000e10'],
  ['confirm', 25, '02'],
  ['confirm 90', 25, '010000005a02'],
] as const) {
  test(`AddKeysToAgent ${value} tells the agent so`, async (t) => {
    if (!needs(t, 'sshd')) return;
    const rig = await startRig(t);
    const sshd = await rig.sshd();
    const path = join(rig.folder('agent'), 'sock');
    const added: Buffer[] = [];
    await rig.own(
      startAgentDouble(path, (request) => {
        if (request[0] === 11) return Buffer.from([12, 0, 0, 0, 0]);
        added.push(request);
        return Buffer.from([6]);
      }),
    );
    const config = [`IdentityAgent ${path}`, `AddKeysToAgent ${value}`];
    await login(rig, sshd.writeClient({ name: 'tells', config }));
    assert.equal(added.length, 1);
    assert.equal(added[0]?.[0], number);
    const comment = Buffer.from('test-rig').toString('hex');
    assert.equal(added[0]?.toString('hex').split(comment)[1], tail);
  });
}

test('an agent that takes no keys is a warning, not the end', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const agent = await rig.own(startFidoAgent(join(rig.folder('agent'), 'sock')));
  const told = nothingTold();
  const config = [`IdentityAgent ${agent.path}`, 'AddKeysToAgent yes'];
  await login(rig, sshd.writeClient({ name: 'refuses', config }), undefined, told);
  assert.match(told.warnings.join('\n'), /could not be added to the agent/);
});

test('a missing identity file is named once, and the key beside a certificate file is not taken for it', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const told = nothingTold();
  const missing = join(rig.dir, 'missing');
  writeFileSync(`${missing}-cert.pub`, readFileSync(`${sshd.identity.file}.pub`));
  await login(
    rig,
    sshd.writeClient({ name: 'missing', config: [`IdentityFile ${missing}`] }),
    undefined,
    told,
  );
  assert.deepEqual(
    told.warnings.filter((line) => line.includes(missing)),
    [`Identity file ${missing} does not exist.`],
  );
});
