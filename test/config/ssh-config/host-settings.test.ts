import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { HostSettings } from '../../../src/config/settings.ts';
import { resolveSettings } from '../../../src/config/ssh-config.ts';
import { needs } from '../../rig/requirements.ts';
import { makeTempDir } from '../../rig/temp-dir.ts';

/** What a line of ssh_config becomes, from `ssh -G` or from our own reader. */
async function settingsOf(t: TestContext, line: string, withOpenSsh: boolean): Promise<HostSettings> {
  const dir = makeTempDir();
  t.after(() => dir.remove());
  const configFile = join(dir.path, 'config');
  writeFileSync(configFile, `Host h\n${line}\n`);
  return await resolveSettings({ host: 'h' }, { configFile }, withOpenSsh ? {} : { hasAccount: false });
}

const LINES: readonly (readonly [line: string, expected: Partial<HostSettings>])[] = [
  ['', { updateHostKeys: 'yes', checkHostIp: false, noHostAuthenticationForLocalhost: false }],
  ['UpdateHostKeys no', { updateHostKeys: 'no' }],
  ['UpdateHostKeys ask', { updateHostKeys: 'ask' }],
  ['UserKnownHostsFile /k', { updateHostKeys: 'no' }],
  ['UserKnownHostsFile /k\nUpdateHostKeys yes', { updateHostKeys: 'yes' }],
  ['CheckHostIP yes', { checkHostIp: true }],
  ['NoHostAuthenticationForLocalhost yes', { noHostAuthenticationForLocalhost: true }],
  ['KnownHostsCommand /bin/c "%H x"', { knownHostsCommand: '/bin/c "%H x"' }],
  ['AddKeysToAgent yes', { addKeysToAgent: { ask: false, confirm: false } }],
  ['AddKeysToAgent ask', { addKeysToAgent: { ask: true, confirm: false } }],
  ['AddKeysToAgent confirm', { addKeysToAgent: { ask: false, confirm: true } }],
  ['AddKeysToAgent confirm 5m', { addKeysToAgent: { ask: false, confirm: true, lifetime: 300 } }],
  ['AddKeysToAgent 1h', { addKeysToAgent: { ask: false, confirm: false, lifetime: 3600 } }],
  ['RekeyLimit 1G 1h', { rekeyLimit: { bytes: 1024 ** 3, seconds: 3600 } }],
  ['RekeyLimit default 30', { rekeyLimit: { bytes: 0, seconds: 30 } }],
  ['PubkeyAcceptedAlgorithms rsa-sha2-512', { pubkeyAcceptedAlgorithms: ['rsa-sha2-512'] }],
];

for (const source of ['ssh -G', 'the reader'] as const) {
  for (const [line, expected] of LINES) {
    test(`${line === '' ? 'an empty configuration' : line.replace('\n', ', ')}, through ${source}`, async (t) => {
      if (!needs(t, 'ssh')) return;
      const settings = await settingsOf(t, line, source === 'ssh -G');
      for (const [name, value] of Object.entries(expected)) {
        assert.deepEqual(settings[name as keyof HostSettings], value, name);
      }
    });
  }
  test(`no key is added to the agent and no keys are exchanged anew by default, through ${source}`, async (t) => {
    if (!needs(t, 'ssh')) return;
    const settings = await settingsOf(t, 'AddKeysToAgent no', source === 'ssh -G');
    assert.equal(settings.addKeysToAgent, undefined);
    assert.equal(settings.rekeyLimit, undefined);
    assert.equal(settings.knownHostsCommand, undefined);
  });
}
