import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { resolveSettings } from '../../src/config/ssh-config.ts';
import type { ConnectError } from '../../src/errors.ts';
import type { Ask } from '../../src/ssh/context.ts';
import { HostKeyCheck } from '../../src/ssh/host-key.ts';
import { fingerprint } from '../../src/ssh/known-hosts-key.ts';
import { wireString } from '../../src/ssh/wire.ts';
import { makeTempDir } from '../rig/temp-dir.ts';
import { answers, contextOf, nothingTold, type Told } from './ssh2/ssh2.ts';

/** No address of a machine: nothing is connected to here. */
const ADDRESS = '192.0.2.7';

const key = (letter: string): Buffer =>
  Buffer.concat([wireString('ssh-ed25519'), wireString(Buffer.alloc(32, letter))]);
const line = (name: string, letter: string): string =>
  `${name} ssh-ed25519 ${key(letter).toString('base64')}\n`;

interface Attempt {
  readonly shown?: string;
  /** Shown when keys are exchanged anew. */
  readonly later?: string;
  readonly known?: string;
  readonly config?: readonly string[];
  readonly ip?: string;
  readonly ask?: Ask;
}

interface Outcome {
  readonly code: string;
  readonly error: ConnectError | undefined;
  /** The user's known_hosts afterwards. */
  readonly known: string;
  readonly told: Told;
  readonly types: readonly string[];
}

/** What becomes of a server that shows a key, with the host `h` at `name.example`. */
async function judge(t: TestContext, attempt: Attempt): Promise<Outcome> {
  const dir = makeTempDir();
  t.after(() => dir.remove());
  const [configFile, knownHosts] = [join(dir.path, 'config'), join(dir.path, 'known_hosts')];
  const lines = [...(attempt.config ?? []), 'HostName name.example', `UserKnownHostsFile ${knownHosts}`];
  writeFileSync(configFile, ['Host h', ...lines, 'GlobalKnownHostsFile /dev/null', ''].join('\n'));
  writeFileSync(knownHosts, attempt.known ?? '');
  const told = nothingTold();
  const settings = await resolveSettings({ host: 'h' }, { configFile });
  const check = await HostKeyCheck.create(settings, contextOf(told, attempt.ask), attempt.ip ?? ADDRESS);
  const { shown = 'a', later = shown } = attempt;
  const shows = (letter: string): Promise<boolean> =>
    new Promise((resolve) => check.verify(key(letter), resolve));
  const accepted = (await shows(shown)) && (await shows(later));
  if (accepted) await check.remember();
  assert.equal(check.rejection === undefined, accepted);
  return {
    code: check.rejection?.code ?? 'accepted',
    error: check.rejection,
    known: readFileSync(knownHosts, 'utf8'),
    told,
    types: check.knownTypes,
  };
}

for (const mode of ['ask', 'yes']) {
  test(`an unknown key is refused with StrictHostKeyChecking ${mode} where there is nobody to ask`, async (t) => {
    const { code, known } = await judge(t, { config: [`StrictHostKeyChecking ${mode}`] });
    assert.deepEqual([code, known], ['host-key-unknown', '']);
  });
}

test('a key that changes within one connection is refused', async (t) => {
  const { code } = await judge(t, { known: line('name.example', 'a'), later: 'b' });
  assert.equal(code, 'host-key-changed');
});

const CHECK = ['CheckHostIP yes'];

test('with CheckHostIP the address of a known host is added, and with no it is not', async (t) => {
  const known = line('name.example', 'a');
  const { code, known: after } = await judge(t, { known, config: CHECK });
  assert.equal(code, 'accepted');
  assert.equal(after, known + line(ADDRESS, 'a'));
  assert.equal((await judge(t, { known })).known, known);
});

test('with CheckHostIP a new host is added with its address', async (t) => {
  const { known } = await judge(t, { config: [...CHECK, 'StrictHostKeyChecking accept-new', 'Port 2222'] });
  assert.equal(known, line('[name.example]:2222', 'a') + line(`[${ADDRESS}]:2222`, 'a'));
});

for (const [mode, said, code] of [
  ['ask', 'yes', 'accepted'],
  ['ask', 'no', 'host-key-address'],
  ['ask', undefined, 'host-key-address'],
  ['yes', 'yes', 'host-key-address'],
  ['accept-new', 'yes', 'host-key-address'],
  ['no', undefined, 'accepted'],
] as const) {
  const who = said === undefined ? 'nobody to ask' : `somebody who says ${said}`;
  test(`a known host at an address with another key: StrictHostKeyChecking ${mode} with ${who}: ${code}`, async (t) => {
    const known = line('name.example', 'a') + line(ADDRESS, 'b');
    const config = [...CHECK, `StrictHostKeyChecking ${mode}`];
    const outcome = await judge(t, { known, config, ...(said && { ask: answers(said) }) });
    assert.equal(outcome.code, code);
    assert.equal(outcome.known, known);
    const shown = [outcome.told.text, ...(outcome.error?.hint ?? [])].join('\n');
    assert.match(shown, /known_hosts:2/);
  });
}

test('a changed key is refused, with a word about the address when that has the key', async (t) => {
  const known = line('name.example', 'b') + line(ADDRESS, 'a');
  const { code, error } = await judge(t, { known, config: [...CHECK, 'StrictHostKeyChecking no'] });
  assert.equal(code, 'host-key-changed');
  assert.match(error?.hint.join('\n') ?? '', /DNS spoofing/);
});

test('CheckHostIP says nothing about an address on loopback or one that is the name itself', async (t) => {
  const known = line('name.example', 'a') + line('127.0.0.1', 'b');
  assert.equal((await judge(t, { known, config: CHECK, ip: '127.0.0.1' })).code, 'accepted');
  const config = [...CHECK, `HostName ${ADDRESS}`];
  assert.equal((await judge(t, { known: line(ADDRESS, 'a'), config })).known, line(ADDRESS, 'a'));
});

test('a key that is revoked for the address is refused', async (t) => {
  const known = line('name.example', 'a') + `@revoked ${line(ADDRESS, 'a')}`;
  assert.equal((await judge(t, { known, config: CHECK })).code, 'host-key-revoked');
});

test('NoHostAuthenticationForLocalhost accepts any key from loopback, and only there', async (t) => {
  const attempt = { known: line('name.example', 'b'), config: ['NoHostAuthenticationForLocalhost yes'] };
  assert.equal((await judge(t, { ...attempt, ip: '127.0.0.1' })).code, 'accepted');
  assert.equal((await judge(t, { ...attempt, ip: '::1' })).code, 'accepted');
  assert.equal((await judge(t, attempt)).code, 'host-key-changed');
  const alias = [...attempt.config, 'HostKeyAlias name.example'];
  assert.equal((await judge(t, { ...attempt, config: alias, ip: '::1' })).code, 'host-key-changed');
});

/** A KnownHostsCommand that notes how it was called, and prints a file. */
function command(t: TestContext, output: string, status = 0): { path: string; calls: () => string[][] } {
  const dir = makeTempDir();
  t.after(() => dir.remove());
  const [path, log] = [join(dir.path, 'command'), join(dir.path, 'log')];
  writeFileSync(join(dir.path, 'output'), output);
  writeFileSync(
    path,
    `#!/bin/sh\nprintf '%s\\0' "$@" >> ${log}\necho >> ${log}\ncat ${join(dir.path, 'output')}\nexit ${status}\n`,
  );
  chmodSync(path, 0o755);
  const calls = (): string[][] =>
    readFileSync(log, 'utf8')
      .trimEnd()
      .split('\n')
      .map((call) => call.split('\0').slice(0, -1));
  return { path, calls };
}

test('KnownHostsCommand is run without a shell for the order and for the name, with its tokens', async (t) => {
  const { path, calls } = command(t, line('name.example', 'a'));
  const config = [`KnownHostsCommand ${path} %I "%H x" %t %f %K %h:%p;$(id) %%`, 'Port 2022'];
  const { code, types } = await judge(t, { config });
  const rest = ['name.example:2022;$(id)', '%'];
  assert.deepEqual(calls(), [
    ['ORDER', '[name.example]:2022 x', 'NONE', 'NONE', 'NONE', ...rest],
    [
      'HOSTNAME',
      '[name.example]:2022 x',
      'ssh-ed25519',
      fingerprint(key('a')),
      key('a').toString('base64'),
      ...rest,
    ],
  ]);
  assert.equal(code, 'accepted');
  assert.deepEqual(types, []);
});

test('KnownHostsCommand is asked for the address as well with CheckHostIP', async (t) => {
  const { path, calls } = command(t, line('name.example', 'a') + line(ADDRESS, 'a'));
  const { code, known, types } = await judge(t, { config: [...CHECK, `KnownHostsCommand ${path} %I %H`] });
  assert.equal(code, 'accepted');
  assert.deepEqual(calls(), [
    ['ORDER', 'name.example'],
    ['HOSTNAME', 'name.example'],
    ['ADDRESS', ADDRESS],
  ]);
  assert.equal(known, '');
  assert.deepEqual(types, ['ssh-ed25519']);
});

test('what KnownHostsCommand prints can change or revoke a key', async (t) => {
  const changed = command(t, `# a comment\n\n${line('name.example', 'b')}`);
  const { error } = await judge(t, { config: [`KnownHostsCommand ${changed.path}`] });
  assert.equal(error?.code, 'host-key-changed');
  assert.match(error.hint.join('\n'), new RegExp(`KnownHostsCommand ${changed.path}:3`));
  const revoked = command(t, `@revoked ${line('*', 'a')}`);
  const attempt = { known: line('name.example', 'a'), config: [`KnownHostsCommand ${revoked.path}`] };
  assert.equal((await judge(t, attempt)).code, 'host-key-revoked');
});

for (const [what, written] of [
  ['fails', (path: string) => path],
  ['is not there', () => '/nonexistent/command'],
  ['has no absolute path', () => 'command %H'],
  ['has an open quotation mark', (path: string) => `${path} "%H`],
] as const) {
  test(`a KnownHostsCommand that ${what} ends the connection`, async (t) => {
    const { path } = command(t, '', 3);
    const judging = judge(t, { config: [`KnownHostsCommand ${written(path)}`] });
    await assert.rejects(judging, (error: ConnectError) => {
      // ssh refuses the last one when it reads the configuration.
      return error.code === 'known-hosts-command' || error.code === 'ssh-config';
    });
    assert.ok(existsSync(path));
  });
}
