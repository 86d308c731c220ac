import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { appendKnownHost } from '../../src/ssh/known-hosts-append.ts';
import { knownHostsName, type Verdict } from '../../src/ssh/known-hosts.ts';
import { hashName } from '../../src/ssh/known-hosts-line.ts';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import type { Sshd } from '../rig/sshd.ts';
import { ed25519, load, rsa, text } from './known-hosts-samples.ts';

interface Case {
  readonly title: string;
  readonly expected: Verdict['kind'];
  readonly lines: readonly string[];
  /** Default `vps`. */
  readonly alias?: string;
}

const OTHER = text(ed25519());
const OTHER_RSA = text(rsa());

const REVOKED_WITHOUT_PORT = 'a key revoked without a port';

/** `own` is the server's key. */
function aliasCases(own: string): readonly Case[] {
  const salt = Buffer.alloc(20, 1);
  return [
    { title: 'no line', expected: 'unknown', lines: [] },
    { title: 'the key', expected: 'known', lines: [`vps ${own}`] },
    { title: 'an alias in upper case', expected: 'known', alias: 'VPS', lines: [`vps ${own}`] },
    { title: 'a line in upper case', expected: 'known', lines: [`VPS ${own}`] },
    { title: 'the key of another host', expected: 'unknown', lines: [`other ${own}`] },
    { title: 'another key', expected: 'changed', lines: [`vps ${OTHER}`] },
    { title: 'a key of another type', expected: 'changed', lines: [`vps ${OTHER_RSA}`] },
    {
      title: 'others, then the key',
      expected: 'known',
      lines: [`vps ${OTHER}`, `vps ${OTHER_RSA}`, `vps ${own}`],
    },
    { title: 'the key twice', expected: 'known', lines: [`vps ${own}`, `vps ${own}`] },
    { title: 'several other keys', expected: 'changed', lines: [`vps ${OTHER}`, `vps ${OTHER_RSA}`] },
    { title: 'a key that cannot be read', expected: 'unknown', lines: [`vps ${OTHER.slice(0, -4)}`] },
    { title: 'a key of an unheard-of type', expected: 'unknown', lines: ['vps ssh-new AAAAB3NzaC1uZXc='] },
    { title: 'a revoked key', expected: 'revoked', lines: [`@revoked vps ${own}`] },
    { title: 'a key known and revoked', expected: 'revoked', lines: [`vps ${own}`, `@revoked * ${own}`] },
    { title: 'another revoked key', expected: 'known', lines: [`@revoked vps ${OTHER}`, `vps ${own}`] },
    {
      title: 'a key revoked for another host',
      expected: 'known',
      lines: [`@revoked other ${own}`, `vps ${own}`],
    },
    { title: 'the key as an authority', expected: 'unknown', lines: [`@cert-authority vps ${own}`] },
    {
      title: 'an authority and the key',
      expected: 'known',
      lines: [`@cert-authority * ${OTHER}`, `vps ${own}`],
    },
    { title: 'a wildcard', expected: 'known', lines: [`v?*,other ${own}`] },
    { title: 'a wildcard with another key', expected: 'changed', lines: [`* ${OTHER}`] },
    { title: 'a negation', expected: 'unknown', lines: [`*,!vps ${own}`] },
    { title: 'a hashed name', expected: 'known', lines: [`${hashName('vps', salt)} ${own}`] },
    {
      title: 'a hashed name with another key',
      expected: 'changed',
      lines: [`${hashName('vps', salt)} ${OTHER}`],
    },
    {
      title: 'CRLF, tabs and no last line break',
      expected: 'known',
      lines: ['# c\r', '\r', ` \tvps\t${own}\r`],
    },
  ];
}

/** For a server on a port of its own, without an alias. */
function portCases(own: string, port: number): readonly Case[] {
  const here = `[127.0.0.1]:${port}`;
  return [
    { title: 'the key on its port', expected: 'known', lines: [`${here} ${own}`] },
    {
      title: 'another key on its port',
      expected: 'changed',
      lines: [`${here} ${OTHER}`, `127.0.0.1 ${own}`],
    },
    { title: 'the key without a port', expected: 'known', lines: [`127.0.0.1 ${own}`] },
    { title: 'another key without a port', expected: 'unknown', lines: [`127.0.0.1 ${OTHER}`] },
    { title: 'the key on another port', expected: 'unknown', lines: [`[127.0.0.1]:1 ${own}`] },
    { title: REVOKED_WITHOUT_PORT, expected: 'revoked', lines: [`@revoked 127.0.0.1 ${own}`] },
  ];
}

/** What ssh says, with the place that it names. */
async function judgedBySsh(rig: Rig, sshd: Sshd, file: string, alias?: string): Promise<string> {
  const options = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${file}`,
    'GlobalKnownHostsFile=/dev/null',
    ...(alias === undefined ? [] : [`HostKeyAlias=${alias}`]),
  ].flatMap((option) => ['-o', option]);
  const { stderr, status } = await rig.run(['ssh', '-v', ...options, ...sshd.client.flags, 'vps', 'true']);
  if (stderr.includes('REVOKED HOST KEY DETECTED')) return 'revoked';
  const offending = /Offending \S+ key in (.*:\d+)\r?$/m.exec(stderr)?.[1];
  if (offending !== undefined) return `changed ${offending}`;
  if (/^No \S+ host key is known for /m.test(stderr)) return 'unknown';
  assert.equal(status, 0, stderr);
  return `known ${/Found key in (.*:\d+)\r?$/m.exec(stderr)?.[1]}`;
}

async function judgedByUs(sshd: Sshd, file: string, alias?: string): Promise<string> {
  const { hosts } = await load(file);
  const { hostname, port } = sshd.client;
  const name = knownHostsName({ hostname, port, ...(alias === undefined ? {} : { hostKeyAlias: alias }) });
  const verdict = hosts.verdict(name, hostKey(sshd));
  const placed = verdict.kind === 'known' || verdict.kind === 'changed';
  return placed ? `${verdict.kind} ${verdict.file}:${verdict.line}` : verdict.kind;
}

function hostKey(sshd: Sshd): Buffer {
  return Buffer.from(sshd.hostKeys[0]?.publicKey.split(' ')[1] ?? '', 'base64');
}

test('a host key is judged as ssh judges it, by the same line of known_hosts', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const own = sshd.hostKeys[0]?.publicKey ?? '';
  const cases = [
    ...aliasCases(own).map((one) => ({ alias: 'vps', ...one })),
    ...portCases(own, sshd.client.port),
  ];
  for (const [index, { title, alias, lines, expected }] of cases.entries()) {
    await t.test(title, async () => {
      const file = join(rig.dir, `known_hosts${index}`);
      writeFileSync(file, lines.join('\n'));
      const ours = await judgedByUs(sshd, file, alias);
      assert.equal(ours.split(' ')[0], expected);
      assert.equal(await judgedBySsh(rig, sshd, file, alias), ours);
    });
  }
});

/** What no line is made of, and the key all the same. */
function oddFiles(own: string): readonly (readonly [title: string, content: string | Buffer])[] {
  const noise = Buffer.from(
    Array.from({ length: 64 * 1024 }, (_, index) => (index * 7919 + (index >> 3)) & 255),
  );
  return [
    ['a huge line', `${'other,'.repeat(500_000)}vps ${own}\n`],
    ['a huge comment, then another key', `# ${'x'.repeat(3_000_000)}\nvps ${OTHER}\n`],
    ['binary junk', noise],
    ['binary junk around the key', Buffer.concat([noise, Buffer.from(`\nvps ${own}\n`), noise])],
    ['a byte order mark', `\uFEFFvps ${own}\n`],
    ['a NUL after the key', `vps ${own}\0junk\n`],
    ['a lone CR in the line', `vps ${own}\rjunk\n`],
  ];
}

type Mode = 'yes' | 'accept-new';

/** Whether each lets itself in, or why not. */
async function outcomeOfSsh(rig: Rig, options: readonly string[]): Promise<string> {
  const { stderr, status } = await rig.run(['ssh', '-o', 'BatchMode=yes', ...options, 'vps', 'true']);
  if (status === 0) return 'in';
  if (stderr.includes('REVOKED HOST KEY DETECTED')) return 'revoked';
  return stderr.includes('IDENTIFICATION HAS CHANGED') ? 'changed' : 'unknown';
}

async function outcomeOfTunnel(rig: Rig, options: readonly string[]): Promise<string> {
  const tunnel = await rig.tunnel(['--json', '-o', 'ClearAllForwardings=yes', ...options, 'vps']);
  const { event, error } = await tunnel.waitForAny('ready', 'closed');
  if (event === 'ready') {
    await tunnel.interrupt();
    return 'in';
  }
  assert.equal((await tunnel.exit).status, 255);
  return (error as { code: string }).code.replace('host-key-', '');
}

function optionsFor({ client }: Sshd, mode: Mode, file: string, alias: string | undefined): string[] {
  const options = [
    `StrictHostKeyChecking=${mode}`,
    `UserKnownHostsFile=${file}`,
    ...(alias === undefined ? [] : [`HostKeyAlias=${alias}`]),
  ];
  return [...options.flatMap((option) => ['-o', option]), ...client.flags];
}

for (const mode of ['yes', 'accept-new'] as const) {
  test(`the program lets itself in where ssh does, with StrictHostKeyChecking ${mode}`, async (t) => {
    if (!needs(t, 'sshd', 'ssh')) return;
    const rig = await startRig(t);
    const sshd = await rig.sshd();
    const own = sshd.hostKeys[0]?.publicKey ?? '';
    const lines = [...aliasCases(own).map((one) => ({ alias: 'vps', ...one })), ...portCases(own, sshd.port)];
    const files = [
      ...lines.map(({ title, alias, lines }) => ({ title, alias, content: lines.join('\n') })),
      ...oddFiles(own).map(([title, content]) => ({ title, alias: 'vps', content })),
    ];
    for (const [index, { title, alias, content }] of files.entries()) {
      await t.test(title, async () => {
        const [theirs, ours] = ['ssh', 'tunnel'].map((name) => join(rig.dir, `${name}_hosts${index}`));
        assert.ok(theirs !== undefined && ours !== undefined);
        for (const file of [theirs, ours]) writeFileSync(file, content);
        const [outcome, expected] = await Promise.all([
          outcomeOfTunnel(rig, optionsFor(sshd, mode, ours, alias)),
          outcomeOfSsh(rig, optionsFor(sshd, mode, theirs, alias)),
        ]);
        // ssh shows its warning, and takes the key for a new one.
        if (title === REVOKED_WITHOUT_PORT) return assert.equal(outcome, 'revoked');
        assert.equal(outcome, expected);
        // ssh does not end a last line before it appends; we do.
        const appended = (file: string): string =>
          readFileSync(file).subarray(Buffer.byteLength(content)).toString().trim();
        assert.equal(appended(ours), appended(theirs));
      });
    }
  });
}

test('ssh knows a host by the line that was appended for it, plain or hashed', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const name = knownHostsName(sshd.client);
  for (const hash of [false, true]) {
    const file = join(rig.folder('ssh'), 'known_hosts');
    await appendKnownHost(file, name, hostKey(sshd), { hash });
    assert.equal(await judgedBySsh(rig, sshd, file), `known ${file}:1`);
  }
});

test('the other names of an unknown key are those that ssh shows when it asks', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const own = sshd.hostKeys[0]?.publicKey;
  const hashed = hashName('hidden', Buffer.alloc(20, 1));
  const file = join(rig.dir, 'known_hosts');
  writeFileSync(
    file,
    [`one,two ${own}`, `three ${OTHER}`, `${hashed} ${own}`, `@revoked four ${own}`].join('\n'),
  );

  const prompt = join(rig.dir, 'prompt');
  const askpass = join(rig.dir, 'askpass');
  writeFileSync(askpass, `#!/bin/sh\nprintf %s "$1" > ${prompt}\necho no\n`, { mode: 0o755 });
  const options = ['StrictHostKeyChecking=ask', `UserKnownHostsFile=${file}`].flatMap((option) => [
    '-o',
    option,
  ]);
  await rig.run(['ssh', ...options, ...sshd.client.flags, 'vps', 'true'], {
    env: { ...rig.env, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force' },
  });

  assert.ok(existsSync(prompt), 'ssh did not ask');
  const shown = [...readFileSync(prompt, 'utf8').matchAll(/^ {4}(\/.*)$/gm)].map(([, line]) => line);
  const { hosts } = await load(file);
  const verdict = hosts.verdict(knownHostsName(sshd.client), hostKey(sshd));
  assert.ok(verdict.kind === 'unknown');
  const ours = verdict.otherNames.map(
    (other) => `${other.file}:${other.line}: ${other.hosts ?? '[hashed name]'}`,
  );
  assert.equal(ours.length, 2);
  assert.deepEqual(ours, shown);
});
