import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { configuredHosts, knownHosts } from '../../src/config/host-names.ts';
import { makeTempDir } from '../rig/temp-dir.ts';

function place(t: TestContext, files: Readonly<Record<string, string>>) {
  const dir = makeTempDir();
  t.after(() => dir.remove());
  mkdirSync(join(dir.path, '.ssh'));
  mkdirSync(join(dir.path, 'etc'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir.path, name), text);
  return { home: dir.path, directory: dir.path, systemDirectory: join(dir.path, 'etc') };
}

test('hosts are those of both files and of what they include, without patterns', (t) => {
  const local = place(t, {
    '.ssh/config': 'Include more ~/.ssh/two\nHost a b* ?c !d e\nhost=f\n "Host" "g" \'h\' # i\nHostName j\n',
    '.ssh/more': 'Host k\nInclude config\n',
    '.ssh/two': 'Host l\r\n',
    'etc/ssh_config': 'Include extra\nHost m a\n',
    'etc/extra': 'Host n\n',
  });
  const hosts = configuredHosts(local);
  assert.deepEqual(hosts, ['k', 'l', 'a', 'e', 'f', 'g', 'h', 'n', 'm']);
});

test('-F takes the place of both files, and none has no hosts', (t) => {
  const local = place(t, { '.ssh/config': 'Host a\n', other: 'Host b\n' });
  assert.deepEqual(configuredHosts(local, 'other'), ['b']);
  assert.deepEqual(configuredHosts(local, 'None'), []);
  assert.deepEqual(configuredHosts(local, 'missing'), []);
});

test('known hosts are those whose names can be read', (t) => {
  const local = place(t, {
    '.ssh/known_hosts':
      '# x\na,192.0.2.1 ssh-rsa A\n|1|x|y ssh-rsa A\n@revoked b ssh-rsa A\n[c]:22,*.d ssh-rsa A\n' +
      '[::1]:2222 ssh-rsa A\n2001:db8::1 ssh-rsa A\nnokey\n',
    'etc/ssh_known_hosts': 'e ssh-rsa A\na ssh-rsa A\n',
  });
  assert.deepEqual(knownHosts(local), ['a', 'c:22', '[::1]:2222', '2001:db8::1', 'e']);
});
