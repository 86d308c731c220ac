import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { resolveSettings } from '../../src/config/ssh-config.ts';
import { skip, USER, withOpenSsh, withoutOpenSsh, write } from './config-files.ts';

/** A home with `.ssh` and a place of the system's file, where only our own reader looks. */
function home(files: Readonly<Record<string, string>>) {
  const directory = dirname(write({ config: '', ...files }));
  return { env: withoutOpenSsh, home: join(directory, 'home'), systemDirectory: join(directory, 'etc') };
}

describe('where our own reader looks', () => {
  test('the user’s file counts before the system’s one', async () => {
    const local = home({ 'home/.ssh/config': 'Port 1\n', 'etc/ssh_config': 'Port 2\nUser system\n' });
    const settings = await resolveSettings({ host: 'vps' }, {}, local);
    assert.equal(settings.port, 1);
    assert.equal(settings.user, 'system');
  });

  test('neither file has to be there', async () => {
    const settings = await resolveSettings({ host: 'vps' }, {}, home({}));
    assert.equal(settings.port, 22);
    assert.equal(settings.user, USER);
  });

  test('-F stands for both files', async () => {
    const local = home({ 'home/.ssh/config': 'Port 1\n', 'etc/ssh_config': 'User system\n' });
    const settings = await resolveSettings({ host: 'vps' }, { configFile: write({ config: '' }) }, local);
    assert.equal(settings.port, 22);
    assert.equal(settings.user, USER);
  });

  test('a relative -F starts from the working directory', async () => {
    const configFile = write({ config: 'Port 2222\n' });
    const local = { env: withoutOpenSsh, directory: dirname(configFile) };
    assert.equal((await resolveSettings({ host: 'vps' }, { configFile: 'config' }, local)).port, 2222);
  });

  test('a relative Include is beside the file of its kind, and "~" is the home', async () => {
    const local = home({
      'home/.ssh/config': 'Include conf.d/* ~/more\n',
      'home/.ssh/conf.d/a': 'Port 1\n',
      'home/more': 'ConnectionAttempts 3\nIdentityFile ~/key\n',
      'etc/ssh_config': 'Include conf.d/*.conf\n',
      'etc/conf.d/a.conf': 'User system\n',
    });
    const settings = await resolveSettings({ host: 'vps' }, {}, local);
    assert.equal(settings.port, 1);
    assert.equal(settings.connectionAttempts, 3);
    assert.equal(settings.user, 'system');
    assert.deepEqual(settings.identityFiles, [{ path: join(local.home, 'key'), explicit: true }]);
  });

  test('a user’s file that others can write is refused', async () => {
    const local = home({ 'home/.ssh/config': 'Port 1\n' });
    chmodSync(join(local.home, '.ssh/config'), 0o622);
    await assert.rejects(resolveSettings({ host: 'vps' }, {}, local), /others can write/);
  });

  test('a user’s file that is a directory is refused', async () => {
    const local = home({ 'home/.ssh/config/x': '' });
    await assert.rejects(resolveSettings({ host: 'vps' }, {}, local), /is a directory/);
  });

  test('"~" in an Include of the system’s file is refused', async () => {
    const local = home({ 'etc/ssh_config': 'Include ~/more\n' });
    await assert.rejects(resolveSettings({ host: 'vps' }, {}, local), /line 1, Include/);
  });

  test('it is asked, and not ssh, where the user has no passwd entry', { skip }, async () => {
    const local = { ...home({ 'home/.ssh/config': 'Port 2222\n' }), env: withOpenSsh, hasAccount: false };
    assert.equal((await resolveSettings({ host: 'vps' }, {}, local)).port, 2222);
  });
});
