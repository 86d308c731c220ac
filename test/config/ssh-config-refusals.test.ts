import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { resolveSettings } from '../../src/config/ssh-config.ts';
import { refusal, root, skip, SOURCES, withOpenSsh, withoutOpenSsh, write } from './config-files.ts';

describe('a configuration that cannot be used', () => {
  /** What the message has to name: the line, and the key as it is written there. */
  const BAD: readonly (readonly [config: string, line: number, key: string])[] = [
    ['Host vps\n  Foo bar\n', 2, 'Foo'],
    ['Host other\n  Foo bar\n', 2, 'Foo'],
    ['Port abc\n', 1, 'Port'],
    ['\n\nPort 0\n', 3, 'Port'],
    ['Port 65536\n', 1, 'Port'],
    ['Port\n', 1, 'Port'],
    ['Port =\n', 1, 'Port'],
    ['Port 22 33\n', 1, 'Port'],
    ['User\n', 1, 'User'],
    ['User "deploy\n', 1, 'User'],
    ["IdentityFile '/keys/a\n", 1, 'IdentityFile'],
    ['IdentityFile /keys/my key\n', 1, 'IdentityFile'],
    ['Compression maybe\n', 1, 'Compression'],
    ['StrictHostKeyChecking never\n', 1, 'StrictHostKeyChecking'],
    ['AddressFamily inet4\n', 1, 'AddressFamily'],
    ['ConnectTimeout soon\n', 1, 'ConnectTimeout'],
    ['ServerAliveInterval 5x\n', 1, 'ServerAliveInterval'],
    ['ConnectionAttempts many\n', 1, 'ConnectionAttempts'],
    ['ServerAliveCountMax few\n', 1, 'ServerAliveCountMax'],
    ['LocalForward 8080\n', 1, 'LocalForward'],
    ['LocalForward 0 localhost:80\n', 1, 'LocalForward'],
    ['LocalForward 8080 localhost\n', 1, 'LocalForward'],
    ['LocalForward 8080 [localhost:80\n', 1, 'LocalForward'],
    ['RemoteForward 1 2 3\n', 1, 'RemoteForward'],
    ['DynamicForward x\n', 1, 'DynamicForward'],
    ['StreamLocalBindMask 999\n', 1, 'StreamLocalBindMask'],
    ['RekeyLimit 5\n', 1, 'RekeyLimit'],
    ['ProxyJump a:0\n', 1, 'ProxyJump'],
    ['ProxyJump a,@b\n', 1, 'ProxyJump'],
    ['UserKnownHostsFile a none\n', 1, 'UserKnownHostsFile'],
    ['AddKeysToAgent ask 5m\n', 1, 'AddKeysToAgent'],
    ['Match\n', 1, 'Match'],
    ['Match host\n', 1, 'Match'],
    ['Match # host\n', 1, 'Match'],
    ['Match weather sunny\n', 1, 'Match'],
    ['Match host vps all\n  Port 1\nMatch all host vps\n', 3, 'Match'],
    ['Host\n', 1, 'Host'],
    ['Port 22\nInclude ""\n', 2, 'Include'],
  ];
  for (const { source, env, skip: skipped } of SOURCES) {
    for (const [config, line, key] of BAD) {
      test(
        `${JSON.stringify(config)} is refused by ${source}, naming line ${line} and ${key}`,
        { skip: skipped },
        async () => {
          const configFile = write({ config });
          const { message } = await refusal('vps', { configFile }, env);
          assert.ok(message.startsWith(`${configFile}, line ${line}, ${key}: `), message);
        },
      );
    }

    test(`an included file is named by ${source}`, { skip: skipped }, async () => {
      const configFile = write({ config: 'Host vps\n  Include DIR/more\n', more: '# more\nPort x\n' });
      const { message } = await refusal('vps', { configFile }, env);
      assert.ok(message.startsWith(`${join(dirname(configFile), 'more')}, line 2, Port: `), message);
    });

    test(`a wrong -o is named by ${source}`, { skip: skipped }, async () => {
      assert.match(
        (await refusal('vps', { options: ['Foo=bar'], configFile: 'none' }, env)).message,
        /^-o foo: /i,
      );
      assert.match(
        (await refusal('vps', { options: ['Port=x'], configFile: 'none' }, env)).message,
        /^-o Port: /,
      );
    });

    test(`a Host in an -o is refused by ${source}`, { skip: skipped }, async () => {
      await refusal('vps', { options: ['Host=vps'], configFile: 'none' }, env);
    });

    test(
      `a file after -F that is missing, a directory or unreadable is refused with ${source}`,
      { skip: skipped },
      async () => {
        assert.match(
          (await refusal('vps', { configFile: '/nonexistent/config' }, env)).message,
          /no such file/,
        );
        assert.match((await refusal('vps', { configFile: root }, env)).message, /is a directory/);
        const configFile = write({ config: 'Port 22\n' });
        chmodSync(configFile, 0);
        if (process.getuid?.() !== 0)
          assert.match((await refusal('vps', { configFile }, env)).message, /permission/);
      },
    );

    test(`an included file that others can write is refused with ${source}`, { skip: skipped }, async () => {
      const configFile = write({ config: 'Include DIR/more\n', more: 'Port 22\n' });
      chmodSync(join(dirname(configFile), 'more'), 0o666);
      await refusal('vps', { configFile }, env);
    });

    test(`files that include each other are refused with ${source}`, { skip: skipped }, async () => {
      await refusal('vps', { configFile: write({ config: 'Include DIR/config\n' }) }, env);
    });

    test(`an unknown token or variable is refused with ${source}`, { skip: skipped }, async () => {
      for (const line of [
        'IdentityFile /k/%z',
        'IdentityFile /k/${NOT_SET_ANYWHERE}',
        'UserKnownHostsFile /k/%z',
        'ProxyCommand nc %u',
        'HostName %r',
        'IdentityFile ~no-such-user/k',
      ]) {
        await refusal('vps', { configFile: write({ config: `${line}\n` }) }, env);
      }
    });
  }

  test('all that ssh complains about is told at once', { skip }, async () => {
    const configFile = write({ config: 'Port x\nUser\nFoo bar\n' });
    const { message, hint } = await refusal('vps', { configFile }, withOpenSsh);
    assert.match(message, /line 1, Port/);
    assert.match(hint.join('\n'), /line 2, User[^]*line 3, Foo/);
  });
});

describe('what only OpenSSH can decide', () => {
  const ONLY_OPENSSH = [
    'Match exec "exit 0"\n  Port 2222\n',
    'Match host vps exec "exit 0"\n  Port 2222\n',
    'Match !exec "exit 1"\n  Port 2222\n',
  ];
  for (const config of ONLY_OPENSSH) {
    test(
      `${JSON.stringify(config)} is what ssh says, and an explained refusal without it`,
      { skip },
      async () => {
        const configFile = write({ config });
        assert.equal(
          (await resolveSettings({ host: 'vps' }, { configFile }, { env: withOpenSsh })).port,
          2222,
        );
        const error = await refusal('vps', { configFile }, withoutOpenSsh);
        assert.match(error.message, /line 1, Match: .*OpenSSH/);
        assert.match(error.hint.join(), /Install the OpenSSH client/);
      },
    );
  }

  test('names are made canonical by ssh, and refused without it', { skip }, async () => {
    // The address is canonical by itself, so that no name is looked up.
    const config = 'CanonicalizeHostname yes\nCanonicalDomains example.com\nHost 127.0.0.1\n  Port 2222\n';
    const configFile = write({ config });
    assert.equal(
      (await resolveSettings({ host: '127.0.0.1' }, { configFile }, { env: withOpenSsh })).port,
      2222,
    );
    assert.match(
      (await refusal('127.0.0.1', { configFile }, withoutOpenSsh)).message,
      /CanonicalizeHostname/,
    );
  });
});
