import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import type { HostSettings } from '../../src/config/settings.ts';
import { resolveSettings } from '../../src/config/ssh-config.ts';
import { needs } from '../rig/requirements.ts';
import { dump, HOME, skip, withOpenSsh, withoutOpenSsh, write } from './config-files.ts';
import type { Case } from './ssh-config-case.ts';
import { HOST_CASES } from './ssh-config-hosts.ts';
import { OPTION_CASES } from './ssh-config-options.ts';

function writeCase({ config, files = {} }: Case): string {
  return write({ ...files, config });
}

/** The settings without what one source tells more about than the other. */
function fieldsOf(settings: HostSettings): Partial<HostSettings> {
  const { options: _options, configured: _configured, warnings: _warnings, ...fields } = settings;
  return fields;
}

/** The algorithms of a list. */
function names(values: readonly string[] | undefined): string[] {
  return values?.join(',').split(',') ?? [];
}

const TARGET = ['hostname', 'port', 'user'];

function assertExpected(settings: HostSettings, { expect, absent = [], options = {} }: Case): void {
  assert.deepEqual({ ...settings, ...expect }, settings);
  for (const field of absent) assert.ok(!(field in settings), `${field} is absent`);
  for (const [name, values] of Object.entries(options)) {
    assert.deepEqual(settings.options.get(name), values, name);
    assert.ok(settings.configured.has(name), `${name} is configured`);
  }
}

describe('a configuration is what it says, whether OpenSSH is asked or not', () => {
  for (const one of [...HOST_CASES, ...OPTION_CASES]) {
    test(one.name, async (t) => {
      const configFile = writeCase(one);
      const host = one.host ?? 'vps';
      const read = await resolveSettings({ host }, { configFile }, { env: withoutOpenSsh });
      assertExpected(read, one);
      if (!needs(t, 'ssh')) return;

      const asked = await resolveSettings({ host }, { configFile }, { env: withOpenSsh });
      assertExpected(asked, one);
      assert.deepEqual(fieldsOf(read), fieldsOf(asked));
      const truth = dump(host, ['-F', configFile]);
      assert.deepEqual(
        [asked.hostname, String(asked.port), asked.user],
        TARGET.flatMap((name) => truth.get(name)),
      );
      for (const [name, values] of read.options) {
        // ssh writes the last hop in its own way.
        if (name !== 'proxyjump') assert.deepEqual(values, asked.options.get(name), name);
      }
    });
  }
});

describe('lists that change the defaults', { skip }, () => {
  const LISTS = [
    'Ciphers +aes128-cbc,3des-cbc',
    'Ciphers -*-ctr',
    'Ciphers ^aes256-gcm@openssh.com',
    'MACs -umac-*,hmac-sha1*',
    'MACs +hmac-md5',
    'KexAlgorithms -*nistp*,!*nistp256',
    'KexAlgorithms ^diffie-hellman-group14-sha256,curve25519-sha256',
    'HostKeyAlgorithms +ssh-rsa,ssh-dss',
    'HostKeyAlgorithms ^ssh-ed25519*',
    'HostKeyAlgorithms -*cert*',
  ];
  for (const list of LISTS) {
    test(list, async () => {
      const option = list.split(' ')[0]?.toLowerCase() ?? '';
      const flags = { configFile: 'none', options: [list] };
      const asked = await resolveSettings({ host: 'vps' }, flags, { env: withOpenSsh });
      const read = await resolveSettings({ host: 'vps' }, flags, { env: withoutOpenSsh });
      const plain = await resolveSettings({ host: 'vps' }, { configFile: 'none' }, { env: withoutOpenSsh });
      assert.deepEqual(asked.options.get(option), dump('vps', ['-F', 'none', '-o', list]).get(option));
      assert.ok(asked.configured.has(option));
      // Releases of ssh have other defaults than each other, which are not what this is about.
      const defaults = [names(dump('vps', ['-F', 'none']).get(option)), names(plain.options.get(option))];
      const isShared = (name: string): boolean => defaults.filter((one) => one.includes(name)).length !== 1;
      assert.deepEqual(
        names(read.options.get(option)).filter(isShared),
        names(asked.options.get(option)).filter(isShared),
      );
    });
  }
});

test('a list that is ssh’s own default leaves the choice to us', { skip }, async () => {
  const own = dump('vps', ['-F', 'none']).get('ciphers')?.[0] ?? '';
  const flags = { configFile: 'none', options: [`Ciphers=${own}`] };
  const settings = await resolveSettings({ host: 'vps' }, flags, { env: withOpenSsh });
  assert.equal(settings.ciphers, undefined);
  assert.equal(settings.configured.has('ciphers'), false);
});

test('what other releases of ssh print differently is understood', async () => {
  // A stand-in prints what OpenSSH 8.2 leaves unexpanded, and flags in the spelling of the file.
  const empty = 'user me\nhostname vps\nport 22\nuserknownhostsfile ~/.ssh/known_hosts ~/.ssh/known_hosts2\n';
  const answer = `user deploy
hostname web.example.com
port 2222
compression true
batchmode false
stricthostkeychecking off
connecttimeout 1m
identityagent ~/agent-%r
userknownhostsfile ~/known-%h /etc/known
localforward 8080 /run/%n.sock
proxyjump none
canonicalizePermittedcnames none
`;
  const script = `#!/bin/sh\ncase "$*" in\n*none*) cat DIR/empty ;;\n*) cat DIR/answer ;;\nesac\n`;
  const directory = dirname(write({ config: '', ssh: script, empty, answer }));
  chmodSync(join(directory, 'ssh'), 0o700);
  const env = { ...process.env, PATH: `${directory}:${process.env['PATH']}` };
  const settings = await resolveSettings({ host: 'vps' }, { configFile: join(directory, 'config') }, { env });
  assert.equal(settings.compression, true);
  assert.equal(settings.batchMode, false);
  assert.equal(settings.strictHostKeyChecking, 'no');
  assert.equal(settings.connectTimeout, 60);
  assert.equal(settings.identityAgent, `${HOME}/agent-deploy`);
  assert.deepEqual(settings.userKnownHostsFiles, [`${HOME}/known-web.example.com`, '/etc/known']);
  assert.deepEqual(settings.options.get('localforward'), ['8080 /run/vps.sock']);
  assert.deepEqual(settings.options.get('canonicalizepermittedcnames'), ['none']);
  assert.deepEqual(settings.proxyJump, []);
  assert.equal(settings.connectionAttempts, 1, 'what it does not print has its usual default');
});

test('giving up ends ssh and rejects with the reason', { skip }, async () => {
  const configFile = write({ config: 'Match exec "sleep 1"\n  Port 2222\n' });
  const giveUp = new AbortController();
  const resolving = resolveSettings(
    { host: 'vps' },
    { configFile },
    { env: withOpenSsh, signal: giveUp.signal },
  );
  giveUp.abort(new Error('enough'));
  await assert.rejects(resolving, /enough/);
});
