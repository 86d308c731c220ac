import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { parseDestination } from '../../src/config/destination.ts';
import type { HostSettings, SshFlags } from '../../src/config/settings.ts';
import { resolveSettings } from '../../src/config/ssh-config.ts';
import { HOME, SOURCES, write } from './config-files.ts';

describe('flags and the destination', () => {
  const config =
    'Host vps\n  Port 1\n  User configured\n  IdentityFile /keys/configured\n  ProxyJump configured\n';
  const flagged: readonly { name: string; flags: SshFlags; to?: string; expect: Partial<HostSettings> }[] = [
    { name: '-p', flags: { port: 2222 }, expect: { port: 2222 } },
    { name: '-l', flags: { user: 'deploy' }, expect: { user: 'deploy' } },
    { name: 'user@', flags: {}, to: 'deploy@vps', expect: { alias: 'vps', user: 'deploy' } },
    { name: ':port', flags: {}, to: 'vps:2222', expect: { alias: 'vps', port: 2222 } },
    { name: '-l counts before user@', flags: { user: 'flag' }, to: 'deploy@vps', expect: { user: 'flag' } },
    {
      name: '-o User counts before user@',
      flags: { options: ['User=flag'] },
      to: 'deploy@vps',
      expect: { user: 'flag' },
    },
    { name: '-p counts before :port', flags: { port: 2222 }, to: 'vps:3333', expect: { port: 2222 } },
    { name: '-J', flags: { jump: 'a,b:2' }, expect: { proxyJump: ['a', 'b:2'] } },
    { name: '-J none', flags: { jump: 'none' }, expect: { proxyJump: [] } },
    { name: '-C', flags: { compression: true }, expect: { compression: true } },
    { name: '-4', flags: { addressFamily: 'inet' }, expect: { addressFamily: 'inet' } },
    { name: '-6', flags: { addressFamily: 'inet6' }, expect: { addressFamily: 'inet6' } },
    { name: '-o Name=value', flags: { options: ['Port=2222'] }, expect: { port: 2222 } },
    { name: '-o Name value', flags: { options: ['port 2222'] }, expect: { port: 2222 } },
    {
      name: 'the first of two -o',
      flags: { options: ['Port=2222', 'Port=3333', 'BatchMode=no'] },
      expect: { port: 2222, batchMode: false },
    },
    {
      name: '-o with quotes',
      flags: { options: ['UserKnownHostsFile="/k/a b" /k/c'] },
      expect: { userKnownHostsFiles: ['/k/a b', '/k/c'] },
    },
    {
      name: '-i before the configured files',
      flags: { identityFiles: ['/dev/null'] },
      expect: {
        identityFiles: [
          { path: '/dev/null', explicit: true },
          { path: '/keys/configured', explicit: true },
        ],
      },
    },
    {
      name: '-i of a file that is not there',
      flags: { identityFiles: ['/nonexistent/key'] },
      expect: {
        identityFiles: [
          { path: '/nonexistent/key', explicit: true },
          { path: '/keys/configured', explicit: true },
        ],
      },
    },
  ];
  for (const { source, env, skip: skipped } of SOURCES) {
    for (const { name, flags, to = 'vps', expect } of flagged) {
      test(`${name}, with ${source}`, { skip: skipped }, async () => {
        const configFile = write({ config });
        const settings = await resolveSettings(parseDestination(to), { ...flags, configFile }, { env });
        assert.deepEqual({ ...settings, ...expect }, settings);
        assert.deepEqual(settings.jumpFlags, { configFile });
      });
    }

    test(
      `a missing -i file does not stand for the default ones, with ${source}`,
      { skip: skipped },
      async () => {
        const flags = { configFile: 'none', identityFiles: ['~/no-such-key'] };
        const { identityFiles } = await resolveSettings({ host: 'vps' }, flags, { env });
        assert.deepEqual(identityFiles[0], { path: `${HOME}/no-such-key`, explicit: true });
        assert.deepEqual(identityFiles[1], { path: `${HOME}/.ssh/id_rsa`, explicit: false });
      },
    );

    test(`relative paths start from the working directory, with ${source}`, { skip: skipped }, async () => {
      const configFile = write({ config: 'IdentityFile keys/a\nUserKnownHostsFile known\n' });
      const { identityFiles, userKnownHostsFiles } = await resolveSettings(
        { host: 'vps' },
        { configFile },
        { env, directory: dirname(configFile) },
      );
      assert.deepEqual(identityFiles, [{ path: join(dirname(configFile), 'keys/a'), explicit: true }]);
      assert.deepEqual(userKnownHostsFiles, [join(dirname(configFile), 'known')]);
    });

    test(
      `there is no agent without SSH_AUTH_SOCK or with IdentityAgent none, with ${source}`,
      { skip: skipped },
      async () => {
        const { SSH_AUTH_SOCK: _socket, ...bare } = env;
        const flags = { configFile: 'none' };
        const none = { configFile: 'none', options: ['IdentityAgent=none'] };
        assert.equal((await resolveSettings({ host: 'vps' }, flags, { env: bare })).identityAgent, undefined);
        assert.equal((await resolveSettings({ host: 'vps' }, none, { env })).identityAgent, undefined);
      },
    );

    test(
      `an option that ssh skips with a complaint is a warning, with ${source}`,
      { skip: skipped },
      async () => {
        const configFile = write({ config: 'Port 2222\nRSAAuthentication yes\n' });
        const { port, warnings } = await resolveSettings({ host: 'vps' }, { configFile }, { env });
        assert.equal(port, 2222);
        assert.equal(warnings.length, 1);
        assert.match(warnings[0] ?? '', /line 2.*rsaauthentication/i);
      },
    );
  }
});
