import assert from 'node:assert/strict';
import { createCipheriv, createHash, createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { publicKeyOf } from '../../../src/ssh/ssh2/public-key.ts';
import { wireInteger, wireString } from '../../../src/ssh/wire.ts';
import { needs } from '../../rig/requirements.ts';
import { startRig, type Rig } from '../../rig/rig.ts';
import type { Sshd } from '../../rig/sshd.ts';
import { answers, login, nothingTold, refusal, type Told } from './ssh2.ts';

const PASSPHRASE = 'correct horse battery staple';

async function start(t: TestContext): Promise<{ rig: Rig; sshd: Sshd } | undefined> {
  if (!needs(t, 'sshd')) return undefined;
  const rig = await startRig(t);
  return { rig, sshd: await rig.sshd() };
}

/** Logs in with the key of a file; what was asked is in the result. */
async function loginWith(rig: Rig, sshd: Sshd, file: string, ...said: string[]): Promise<Told> {
  const told = nothingTold();
  const client = sshd.writeClient({ name: 'formats', identity: { ...sshd.identity, file } });
  await login(rig, client, answers(...said), told);
  return told;
}

async function refusalOf(sshd: Sshd, file: string, ...said: string[]): Promise<Told> {
  const told = nothingTold();
  const identity = { ...sshd.identity, file };
  await refusal(sshd.writeClient({ name: 'formats', identity }), answers(...said), told);
  return told;
}

const OPENSSH: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['ed25519', ['-t', 'ed25519']],
  ['ecdsa nistp256', ['-t', 'ecdsa', '-b', '256']],
  ['ecdsa nistp384', ['-t', 'ecdsa', '-b', '384']],
  ['ecdsa nistp521', ['-t', 'ecdsa', '-b', '521']],
  ['rsa', ['-t', 'rsa', '-b', '2048']],
];
const CIPHERS = [
  'aes256-ctr',
  'aes128-cbc',
  'aes256-cbc',
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
];

async function keygen(rig: Rig, file: string, args: readonly string[]): Promise<void> {
  const result = await rig.run(['ssh-keygen', '-q', '-f', file, ...args]);
  assert.equal(result.status, 0, result.stderr);
}

function authorizeFile(rig: Rig, sshd: Sshd, file: string): Promise<void> {
  return rig.run(['ssh-keygen', '-y', '-P', PASSPHRASE, '-f', file]).then(({ stdout, stderr }) => {
    assert.match(stdout, /^\S+ AAAA/, stderr);
    sshd.authorize(stdout.trim());
  });
}

for (const [name, args] of OPENSSH) {
  test(`an ${name} key in OpenSSH's format logs in, and asks for its passphrase if it has one`, async (t) => {
    const started = await start(t);
    if (started === undefined) return;
    const { rig, sshd } = started;
    const folder = rig.folder('keys');
    for (const passphrase of ['', PASSPHRASE]) {
      const file = join(folder, `key${passphrase.length}`);
      await keygen(rig, file, [...args, '-N', passphrase]);
      await authorizeFile(rig, sshd, file);
      // The format itself tells the public key.
      rmSync(`${file}.pub`);
      const told = await loginWith(rig, sshd, file, PASSPHRASE);
      assert.equal(told.questions.length, passphrase === '' ? 0 : 1);
      assert.ok(!told.text.includes(PASSPHRASE));
    }
  });
}

test("every cipher of OpenSSH's format that can be undone is, and the one that cannot is explained", async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const folder = rig.folder('keys');
  for (const cipher of CIPHERS) {
    const file = join(folder, cipher);
    await keygen(rig, file, ['-t', 'ed25519', '-Z', cipher, '-N', PASSPHRASE]);
    await authorizeFile(rig, sshd, file);
    assert.equal((await loginWith(rig, sshd, file, PASSPHRASE)).questions.length, 1, cipher);
  }
  const file = join(folder, 'chacha');
  await keygen(rig, file, ['-t', 'ed25519', '-Z', 'chacha20-poly1305@openssh.com', '-N', PASSPHRASE]);
  const told = await refusalOf(sshd, file, PASSPHRASE);
  assert.deepEqual(told.questions, []);
  assert.match(told.warnings.join('\n'), /chacha20-poly1305.*ssh-keygen -p/);
});

const PAIRS: readonly (readonly [string, KeyObject])[] = [
  ['rsa', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
  ['P-256', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey],
  ['P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey],
  ['P-521', generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey],
  ['ed25519', generateKeyPairSync('ed25519').privateKey],
];

function pemOf(key: KeyObject, type: 'pkcs8' | 'pkcs1' | 'sec1', cipher?: string): string {
  const encryption = cipher === undefined ? {} : { cipher, passphrase: PASSPHRASE };
  return key.export({ type, format: 'pem', ...encryption }).toString();
}

for (const [name, key] of PAIRS) {
  test(`an ${name} key in PEM logs in: traditional and PKCS#8, plain and encrypted, without a .pub`, async (t) => {
    const started = await start(t);
    if (started === undefined) return;
    const { rig, sshd } = started;
    const folder = rig.folder('keys');
    const { type = '', blob } = publicKeyOf(key) ?? {};
    sshd.authorize(`${type} ${blob?.toString('base64')}`);
    const kind = key.asymmetricKeyType;
    const traditional = kind === 'rsa' ? ['pkcs1' as const] : kind === 'ec' ? ['sec1' as const] : [];
    for (const format of ['pkcs8' as const, ...traditional]) {
      for (const cipher of [undefined, 'aes-128-cbc', 'aes-256-cbc', 'des-ede3-cbc']) {
        const file = join(folder, `${format}-${cipher}`);
        writeFileSync(file, pemOf(key, format, cipher), { mode: 0o600 });
        const told = await loginWith(rig, sshd, file, 'wrong', PASSPHRASE);
        assert.equal(told.questions.length, cipher === undefined ? 0 : 2, file);
      }
    }
  });
}

test('a private key that others can read is ignored with a word, and not asked for', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const file = join(rig.folder('keys'), 'open');
  await keygen(rig, file, ['-t', 'ed25519', '-N', PASSPHRASE]);
  await authorizeFile(rig, sshd, file);
  chmodSync(file, 0o640);
  const told = await refusalOf(sshd, file, PASSPHRASE);
  assert.match(told.warnings.join('\n'), /UNPROTECTED PRIVATE KEY FILE.*0640/);
  assert.deepEqual(told.questions, []);
  assert.doesNotMatch(sshd.log(), /Failed publickey/);
});

test('a wrong passphrase is asked for as often as NumberOfPasswordPrompts says, and an empty one ends it', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const file = join(rig.folder('keys'), 'locked');
  await keygen(rig, file, ['-t', 'ed25519', '-N', PASSPHRASE]);
  await authorizeFile(rig, sshd, file);
  const identity = { ...sshd.identity, file };
  const told = nothingTold();
  const twice = sshd.writeClient({ name: 'twice', identity, config: ['NumberOfPasswordPrompts 2'] });
  const error = await refusal(twice, answers('wrong-1', 'wrong-2', PASSPHRASE), told);
  assert.equal(told.questions.length, 2);
  assert.doesNotMatch(`${told.text}${error.stack}${error.hint.join()}`, /wrong-\d/);
  assert.equal((await refusalOf(sshd, file, '', PASSPHRASE)).questions.length, 1);
});

test('in BatchMode nobody is asked for a passphrase', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const file = join(rig.folder('keys'), 'locked');
  await keygen(rig, file, ['-t', 'ed25519', '-N', PASSPHRASE]);
  await authorizeFile(rig, sshd, file);
  const told = nothingTold();
  const identity = { ...sshd.identity, file };
  await refusal(
    sshd.writeClient({ name: 'batch', identity, config: ['BatchMode yes'] }),
    answers(PASSPHRASE),
    told,
  );
  assert.deepEqual(told.questions, []);
  assert.match(told.warnings.join('\n'), /nobody to ask/);
});

/** An RSA key as PuTTY's older format has it (sshpubk.c there); puttygen is on few machines. */
function putty(key: KeyObject, passphrase = ''): string {
  const jwk = key.export({ format: 'jwk' });
  const [d, p, q, qi] = [jwk.d, jwk.p, jwk.q, jwk.qi].map((part) =>
    wireInteger(Buffer.from(part ?? '', 'base64url')),
  );
  const plain = Buffer.concat([d, p, q, qi].map((part) => part ?? Buffer.alloc(0)));
  const padded = passphrase === '' ? plain : Buffer.concat([plain, Buffer.alloc(-plain.length & 15)]);
  const publicBlob = publicKeyOf(key)?.blob ?? Buffer.alloc(0);
  const sha1 = (...parts: (string | Buffer)[]): Buffer =>
    createHash('sha1')
      .update(Buffer.concat(parts.map((part) => Buffer.from(part))))
      .digest();
  const encryption = passphrase === '' ? 'none' : 'aes256-cbc';
  const fields = ['ssh-rsa', encryption, 'a comment', publicBlob, padded].map((field) => wireString(field));
  const mac = createHmac('sha1', sha1('putty-private-key-file-mac-key', passphrase));
  const secret = Buffer.concat([0, 1].map((i) => sha1(Buffer.from([0, 0, 0, i]), passphrase))).subarray(
    0,
    32,
  );
  const cipher = createCipheriv('aes-256-cbc', secret, Buffer.alloc(16)).setAutoPadding(false);
  const privateBlob = passphrase === '' ? padded : Buffer.concat([cipher.update(padded), cipher.final()]);
  const lines = (name: string, data: Buffer): string[] => {
    const rows = data.toString('base64').match(/.{1,64}/g) ?? [];
    return [`${name}-Lines: ${rows.length}`, ...rows];
  };
  return [
    'PuTTY-User-Key-File-2: ssh-rsa',
    `Encryption: ${encryption}`,
    'Comment: a comment',
    ...lines('Public', publicBlob),
    ...lines('Private', privateBlob),
    `Private-MAC: ${mac.update(Buffer.concat(fields)).digest('hex')}`,
    '',
  ].join('\r\n');
}

test("an RSA key in PuTTY's older format logs in, plain and encrypted", async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const { privateKey: key } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  sshd.authorize(`ssh-rsa ${publicKeyOf(key)?.blob.toString('base64')}`);
  for (const passphrase of ['', PASSPHRASE]) {
    const file = join(rig.folder('keys'), 'key.ppk');
    writeFileSync(file, putty(key, passphrase), { mode: 0o600 });
    const told = await loginWith(rig, sshd, file, 'wrong', PASSPHRASE);
    assert.equal(told.questions.length, passphrase === '' ? 0 : 2);
  }
});

const PPK = (version: number, type: string): string =>
  `PuTTY-User-Key-File-${version}: ${type}\nEncryption: none\n`;
const SENSELESS: readonly (readonly [name: string, content: string, said: RegExp])[] = [
  ['a file that is no key', 'hello\n', /not a key/],
  ['an empty file', '', /not a key/],
  [
    'a damaged OpenSSH key',
    '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n',
    /damaged/,
  ],
  ['a damaged PEM key', '-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n', /damaged/],
  ['a DSA key', '-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----\n', /DSA/],
  ["PuTTY's newer format", PPK(3, 'ssh-rsa'), /puttygen/],
  ["a kind of key in PuTTY's older format that is not read", PPK(2, 'ssh-ed25519'), /puttygen/],
];

for (const [name, content, said] of SENSELESS) {
  test(`${name} is explained, and the next identity is tried`, async (t) => {
    const started = await start(t);
    if (started === undefined) return;
    const { rig, sshd } = started;
    const file = join(rig.folder('keys'), 'senseless');
    writeFileSync(file, content, { mode: 0o600 });
    const told = nothingTold();
    await login(rig, sshd.writeClient({ config: [`IdentityFile ${file}`] }), answers(), told);
    assert.match(told.warnings.join('\n'), said);
    assert.deepEqual(told.questions, []);
  });
}
