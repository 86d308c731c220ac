import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Connection } from 'ssh2';
import type { Ask } from '../../src/ssh/context.ts';
import { hashName } from '../../src/ssh/known-hosts-line.ts';
import { wireString } from '../../src/ssh/wire.ts';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { writeSshClient } from '../rig/ssh-client.ts';
import { makeKey, type KeyPair } from '../rig/ssh-keys.ts';
import type { Sshd } from '../rig/sshd.ts';
import { until } from '../rig/until.ts';
import { startSsh2Server } from './ssh2/ssh2-server.ts';
import { answers, login, nothingTold, type Told } from './ssh2/ssh2.ts';

interface Case {
  /** The user's file; of the server's keys, the first is known by default. */
  readonly known?: (name: string, keys: readonly KeyPair[]) => string;
  readonly config?: readonly string[];
  readonly ask?: Ask;
}

interface Result {
  readonly name: string;
  readonly keys: readonly KeyPair[];
  readonly before: string;
  readonly after: string;
  readonly told: Told;
}

const lineOf = (name: string, key: KeyPair | undefined): string => `${name} ${key?.publicKey}\n`;

/** Logs in to a server that has an ed25519 key and an ecdsa one, and waits for what becomes of UpdateHostKeys. */
async function update(t: TestContext, { known, config = [], ask }: Case): Promise<Result | undefined> {
  if (!needs(t, 'sshd')) return undefined;
  const rig = await startRig(t);
  const sshd: Sshd = await rig.sshd({ hostKeys: ['ed25519', 'ecdsa', 'rsa'] });
  const client = sshd.writeClient({ config: config.map((line) => line.replace('RIG', rig.dir)) });
  const name = `[127.0.0.1]:${sshd.port}`;
  const before = known?.(name, sshd.hostKeys) ?? lineOf(name, sshd.hostKeys[0]);
  writeFileSync(client.knownHostsFile, before);
  writeFileSync(join(rig.dir, 'global'), lineOf(name, sshd.hostKeys[0]));
  const told = nothingTold();
  await login(rig, client, ask, told);
  await until('the end of UpdateHostKeys', () =>
    told.debug.some((line) => line.startsWith('UpdateHostKeys')),
  );
  const after = readFileSync(client.knownHostsFile, 'utf8');
  return { name, keys: sshd.hostKeys, before, after, told };
}

const YES = ['UpdateHostKeys yes'];

test('UpdateHostKeys yes adds the keys that a known server proves to have, and later ones are then known', async (t) => {
  const result = await update(t, { config: YES });
  if (result === undefined) return;
  const { name, keys, before, after, told } = result;
  assert.equal(after, before + lineOf(name, keys[1]) + lineOf(name, keys[2]));
  assert.deepEqual(told.warnings, []);
  assert.match(told.debug.join('\n'), /added to .*ssh-rsa SHA256:/);
});

test('a host key that was rotated after it was learned is accepted without a question', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd({ hostKeys: ['ed25519', 'ecdsa'] });
  const [old, next] = sshd.hostKeys;
  assert.ok(old && next);
  const client = sshd.writeClient({ config: YES });
  writeFileSync(client.knownHostsFile, lineOf(`[127.0.0.1]:${sshd.port}`, old));
  const connection = await login(rig, client);
  await until('the key is added', () => readFileSync(client.knownHostsFile, 'utf8').includes(next.publicKey));
  await connection.close();
  sshd.hostKeys = [next];
  await sshd.restart();
  await login(rig, client);
});

test('with HashKnownHosts the names that are added are hashed', async (t) => {
  const result = await update(t, { config: [...YES, 'HashKnownHosts yes'] });
  if (result === undefined) return;
  const added = result.after.slice(result.before.length);
  assert.match(added, /^\|1\|\S+ ecdsa-sha2-nistp256 \S+\n\|1\|\S+ ssh-rsa \S+\n$/);
});

test('UpdateHostKeys ask shows the new fingerprints, adds them after a yes and nothing after anything else', async (t) => {
  const ask = ['UpdateHostKeys ask'];
  const accepted = await update(t, { config: ask, ask: answers('yes') });
  if (accepted === undefined) return;
  assert.equal(accepted.after.split('\n').length, 4);
  assert.ok(accepted.told.questions[0]?.text.includes(accepted.keys[1]?.fingerprint ?? '?'));
  for (const said of ['no', undefined]) {
    const declined = await update(t, { config: ask, ask: answers(said) });
    assert.equal(declined?.after, declined?.before);
  }
});

const NOTHING_ADDED: readonly (readonly [name: string, set: Case])[] = [
  ['UpdateHostKeys is no', { config: ['UpdateHostKeys no'] }],
  ['it is ask and nobody can answer', { config: ['UpdateHostKeys ask'] }],
  ['it is ask in BatchMode', { config: ['UpdateHostKeys ask', 'BatchMode yes'], ask: answers('yes') }],
  [
    'the key is known from the global file',
    { known: () => '', config: [...YES, 'GlobalKnownHostsFile RIG/global'] },
  ],
  [
    'the key was accepted by nobody',
    { known: () => '', config: [...YES, 'StrictHostKeyChecking accept-new'] },
  ],
  ['the name is a pattern', { known: (_name, keys) => lineOf('[127.0.0.*]:*', keys[0]), config: YES }],
  [
    'the line has more than two names',
    { known: (name, keys) => lineOf(`a,b,${name}`, keys[0]), config: YES },
  ],
  [
    'there is an authority for the host',
    {
      known: (name, keys) => lineOf(name, keys[0]) + `@cert-authority ${lineOf(name, keys[1])}`,
      config: YES,
    },
  ],
  [
    'another name has one of the keys',
    { known: (name, keys) => lineOf(name, keys[0]) + lineOf('other', keys[1]), config: YES },
  ],
  [
    'another, hashed name has one of the keys',
    {
      known: (name, keys) => lineOf(name, keys[0]) + lineOf(hashName('other', Buffer.alloc(20)), keys[1]),
      config: YES,
    },
  ],
  [
    'only the host without its port is known',
    { known: (_name, keys) => lineOf('127.0.0.1', keys[0]), config: YES },
  ],
];

for (const [name, set] of NOTHING_ADDED) {
  test(`no announced key is added when ${name}`, async (t) => {
    const result = await update(t, set);
    if (result === undefined) return;
    const own = result.before === '' && set.config?.includes('StrictHostKeyChecking accept-new') ? 1 : 0;
    assert.equal(result.after.split('\n').length, result.before.split('\n').length + own, result.after);
  });
}

test('HostKeyAlgorithms leaves announced keys of other types out', async (t) => {
  const config = [...YES, 'HostKeyAlgorithms ssh-ed25519,rsa-sha2-512'];
  const result = await update(t, { config });
  if (result === undefined) return;
  assert.equal(result.after, result.before + lineOf(result.name, result.keys[2]));
});

test('a key that a server announces and does not prove to have is not added', async (t) => {
  const rig: Rig = await startRig(t);
  const [stolen, own] = [await makeKey(join(rig.dir, 'stolen')), await makeKey(join(rig.dir, 'own'))];
  const server = await rig.own(
    startSsh2Server((connection) => {
      connection.on('authentication', (context) => context.accept());
      connection.on('ready', () => {
        const signature = [wireString('ssh-ed25519'), wireString(Buffer.alloc(64, 7))];
        const proof = wireString(Buffer.concat(signature));
        announce(connection, [stolen, own], Buffer.concat([proof, proof]));
      });
      connection.on('session', (accept) => accept().on('exec', (run) => run().exit(0)));
    }),
  );
  const client = writeSshClient(rig.folder('client'), {
    hostname: '127.0.0.1',
    port: server.port,
    user: 'deploy',
    identity: own,
    hostKeys: [{ ...own, publicKey: server.hostKey }],
    config: YES,
  });
  const told = nothingTold();
  await login(rig, client, undefined, told);
  await until('the end of UpdateHostKeys', () =>
    told.debug.some((line) => line.startsWith('UpdateHostKeys')),
  );
  assert.equal(readFileSync(client.knownHostsFile, 'utf8').split('\n').length, 2);
});

/** ssh2's server knows neither the announcement nor the request for proofs. */
function announce(connection: Connection, keys: readonly KeyPair[], proofs: Buffer): void {
  const { _protocol: protocol } = connection as unknown as { _protocol: Protocol };
  protocol._handlers.GLOBAL_REQUEST = () => protocol.requestSuccess(proofs);
  const blobs = keys.map(({ publicKey }) => Buffer.from(publicKey.split(' ')[1] ?? '', 'base64'));
  const payload = Buffer.concat([
    Buffer.from([80]),
    wireString('hostkeys-00@openssh.com'),
    Buffer.from([0]),
    ...blobs.map((blob) => wireString(blob)),
  ]);
  const { write } = protocol._packetRW;
  const packet = write.alloc(payload.length);
  packet.set(payload, write.allocStart);
  protocol._cipher.encrypt(write.finalize(packet));
}

interface Protocol {
  readonly _handlers: { GLOBAL_REQUEST: () => void };
  readonly _packetRW: {
    write: { allocStart: number; alloc(length: number): Buffer; finalize(packet: Buffer): Buffer };
  };
  readonly _cipher: { encrypt(packet: Buffer): void };
  requestSuccess(data: Buffer): void;
}
