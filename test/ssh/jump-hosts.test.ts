import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { resolveSettings } from '../../src/config/ssh-config.ts';
import { UsageError } from '../../src/errors.ts';
import { chooseTransport, type ChosenTransport } from '../../src/ssh/choose-transport.ts';
import { makeTempDir } from '../rig/temp-dir.ts';
import { rejection } from './openssh/openssh.ts';

async function choose(t: TestContext, config: readonly string[]): Promise<ChosenTransport> {
  const dir = makeTempDir();
  t.after(() => dir.remove());
  const configFile = join(dir.path, 'config');
  const last = ['Host *', 'IdentityFile none', 'IdentityAgent none', 'UserKnownHostsFile none'];
  writeFileSync(configFile, [...config, ...last, 'GlobalKnownHostsFile none', ''].join('\n'));
  const settings = await resolveSettings({ host: 'h' }, { configFile });
  return await chooseTransport(settings, 'auto', { warn: () => undefined, debug: () => undefined });
}

test('what the jump host of a jump host needs counts', async (t) => {
  const hosts = ['Host h', 'ProxyJump near', 'Host near', 'ProxyJump far', 'Host far'];
  assert.equal((await choose(t, hosts)).carrier, 'ssh2');
  const chosen = await choose(t, [...hosts, 'HostbasedAuthentication yes']);
  assert.deepEqual(chosen, {
    carrier: 'openssh',
    reason: 'of the jump host far: HostbasedAuthentication is set',
  });
});

test('in a list of jump hosts each counts, and the jump host of a further one does not', async (t) => {
  const hosts = ['Host h', 'ProxyJump near,far', 'Host far', 'ProxyJump unused'];
  const unused = ['Host unused', 'HostbasedAuthentication yes'];
  assert.equal((await choose(t, [...hosts, ...unused])).carrier, 'ssh2');
  const near = ['Host near', 'HostbasedAuthentication yes'];
  assert.match((await choose(t, [...hosts, ...near])).reason, /of the jump host near/);
});

test('jump hosts that lead back to themselves are an error', async (t) => {
  const error = await rejection(
    choose(t, ['Host h', 'ProxyJump a', 'Host a', 'ProxyJump b', 'Host b', 'ProxyJump a']),
  );
  assert.ok(error instanceof UsageError, String(error));
  assert.equal(error.code, 'jump-loop');
});
