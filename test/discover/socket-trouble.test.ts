import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { explainSocketTrouble, type RemoteHost } from '../../src/discover/socket-trouble.ts';
import { DialError } from '../../src/errors.ts';
import { find, needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { loginShells, REFUSAL, remote } from './remote.ts';
import { listenAt, makeStale } from './sockets.ts';

function explain(host: RemoteHost, path: string, refusal = REFUSAL): Promise<DialError> {
  return explainSocketTrouble(host, { kind: 'unix', path }, refusal);
}

function hasSs(): boolean {
  return find('ss') !== undefined;
}

/** Directories of links to all programs in the PATH, but for some. */
function pathWithout(rig: Rig, name: string): string {
  const dir = rig.folder('bin');
  for (const program of ['sh', 'id', 'ls', 'readlink', 'grep', 'cut', 'head', 'printf']) {
    assert.notEqual(program, name);
    symlinkSync(find(program) ?? '', join(dir, program));
  }
  return dir;
}

test('a socket that is not there is missing, in a directory that is', async (t) => {
  const rig = await startRig(t);
  const error = await explain(remote(rig), `${rig.dir}/app.sock`);
  assert.ok(error instanceof DialError);
  assert.equal(error.code, 'socket-missing');
  assert.equal(error.message, `Cannot open ${rig.dir}/app.sock on vps: no such socket`);
  assert.equal(error.hint[0], `There is no ${rig.dir}/app.sock, but its directory is there.`);
  assert.match(error.hint[1] ?? '', /ssh vps ss -xl$/);
});

test('the first directory that does not exist is named, and ~ and relative paths are from the home', async (t) => {
  const rig = await startRig(t);
  const home = rig.folder('home');
  mkdirSync(join(home, 'a'));
  for (const path of [
    '~/a/b/c/app.sock',
    'a/b/c/app.sock',
    './a//b/c/app.sock',
    `${home}/a/./b/c/app.sock`,
  ]) {
    const error = await explain(remote(rig, { home }), path);
    assert.equal(error.code, 'socket-missing');
    assert.ok(error.message.startsWith(`Cannot open ${path} on vps: `));
    assert.match(error.hint[0] ?? '', /^The directory .*\/a\/b does not exist\.$/);
  }
});

test('a path with needless dots and slashes leads nowhere but where it says', async (t) => {
  const rig = await startRig(t);
  for (const path of ['./app.sock', './/./app.sock', `${rig.dir}/././app.sock`, `${rig.dir}//app.sock`]) {
    const error = await explain(remote(rig), path);
    assert.equal(error.hint[0], `There is no ${rig.dir}/app.sock, but its directory is there.`, path);
  }
});

test('a file where a directory should be is named', async (t) => {
  const rig = await startRig(t);
  writeFileSync(join(rig.dir, 'file'), '');
  for (const path of [`${rig.dir}/file/app.sock`, `${rig.dir}/file/`]) {
    const error = await explain(remote(rig), path);
    assert.equal(error.code, 'socket-missing');
    assert.equal(error.hint[0], `${rig.dir}/file is not a directory.`);
  }
});

test('a symbolic link to nothing shows where it leads, and one to itself that it does', async (t) => {
  const rig = await startRig(t);
  symlinkSync('gone/app.sock', join(rig.dir, 'deep.sock'));
  symlinkSync(`${rig.dir}/gone.sock`, join(rig.dir, 'app.sock'));
  symlinkSync('loop.sock', join(rig.dir, 'loop.sock'));
  const [deep, flat, loop] = await Promise.all(
    ['deep', 'app', 'loop'].map((name) => explain(remote(rig), `${rig.dir}/${name}.sock`)),
  );
  assert.equal(deep?.hint[0], `The directory ${rig.dir}/gone does not exist.`);
  assert.equal(flat?.hint[0], `${rig.dir}/app.sock leads to ${rig.dir}/gone.sock, which does not exist.`);
  assert.equal(loop?.hint[0], `The symbolic link ${rig.dir}/loop.sock leads back to itself.`);
  assert.deepEqual([deep?.code, flat?.code, loop?.code], Array(3).fill('socket-missing'));
});

test('what is not a socket is named for what it is', async (t) => {
  const rig = await startRig(t);
  const file = join(rig.dir, 'file');
  writeFileSync(file, '', { mode: 0o640 });
  mkdirSync(join(rig.dir, 'dir'));
  symlinkSync('dir', join(rig.dir, 'link'));
  execFileSync('mkfifo', [join(rig.dir, 'fifo')]);
  const kinds = [
    [file, 'a regular file'],
    [`${rig.dir}/dir`, 'a directory'],
    [`${rig.dir}/link`, 'a directory'],
    [`${rig.dir}/fifo`, 'a named pipe'],
    ['/dev/null', 'a character device'],
    ['/', 'a directory'],
  ] as const;
  for (const [path, kind] of kinds) {
    const error = await explain(remote(rig), path);
    assert.equal(error.code, 'socket-is-not-a-socket', path);
    assert.equal(error.message, `Cannot open ${path} on vps: it is ${kind}, not a socket`);
  }
  assert.equal((await explain(remote(rig), file)).hint[0], `${file} is -rw-r-----.`);
});

test('a socket whose server was killed has nobody listening', async (t) => {
  const rig = await startRig(t);
  const path = join(rig.dir, 'app.sock');
  await makeStale(path);
  const error = await explain(remote(rig), path);
  assert.equal(error.code, 'socket-nobody-listening');
  assert.match(error.hint.join(' '), /left that has ended/);
});

test('a listener is recognised by its file when it was bound to a relative path, as Gunicorn does', async (t) => {
  if (!needs(t, 'ss')) return;
  const rig = await startRig(t);
  const [live, stale] = [rig.folder('live'), rig.folder('stale')];
  await makeStale(join(stale, 'app.sock'));
  await rig.own(listenAt('app.sock', live));
  const codes = await Promise.all(
    [live, stale].map(async (dir) => (await explain(remote(rig), join(dir, 'app.sock'))).code),
  );
  assert.deepEqual(codes, ['socket-forwarding-prohibited', 'socket-nobody-listening']);
});

test('a listener is recognised through symbolic links', async (t) => {
  const rig = await startRig(t);
  const dir = rig.folder('srv');
  symlinkSync(dir, join(rig.dir, 'current'));
  symlinkSync('current/app.sock', join(rig.dir, 'web.sock'));
  await rig.own(listenAt(join(dir, 'app.sock')));
  for (const path of ['current/app.sock', 'web.sock']) {
    const error = await explain(remote(rig), join(rig.dir, path));
    assert.equal(error.code, 'socket-forwarding-prohibited');
  }
});

test('a socket that was renamed after it was bound is not called stale', async (t) => {
  if (!needs(t, 'ss')) return;
  const rig = await startRig(t);
  await rig.own(listenAt(join(rig.dir, 'new')));
  renameSync(join(rig.dir, 'new'), join(rig.dir, 'app.sock'));
  const error = await explain(remote(rig), join(rig.dir, 'app.sock'));
  assert.equal(error.code, 'socket-unknown');
});

test('without ss the table of the kernel is read; a relative path there decides nothing', async (t) => {
  const rig = await startRig(t);
  const [live, relative] = [rig.folder('live'), rig.folder('relative')];
  await makeStale(join(rig.dir, 'stale.sock'));
  await rig.own(listenAt(join(live, 'live.sock')));
  await rig.own(listenAt('relative.sock', relative));
  const host = remote(rig, { path: pathWithout(rig, 'ss') });
  const paths = [join(rig.dir, 'stale.sock'), join(live, 'live.sock'), join(relative, 'relative.sock')];
  const codes = await Promise.all(paths.map(async (path) => (await explain(host, path)).code));
  const expected = ['socket-nobody-listening', 'socket-forwarding-prohibited', 'socket-unknown'];
  assert.deepEqual(codes, expected);
});

test('a server that does not accept what waits has a full queue', async (t) => {
  if (!needs(t, 'ss')) return;
  const rig = await startRig(t);
  const path = join(rig.dir, 'app.sock');
  await rig.own(listenAt(path, '/', 1));
  const clients = Array.from({ length: 4 }, () => connect(path));
  t.after(() => clients.forEach((client) => client.destroy()));
  const outcomes = clients.map(
    (client) =>
      new Promise((resolve) =>
        client.once('connect', () => resolve('in')).once('error', () => resolve('refused')),
      ),
  );
  assert.ok((await Promise.all(outcomes)).includes('refused'));
  const error = await explain(remote(rig), path);
  assert.equal(error.code, 'socket-queue-full');
});

test('a path that is too long for a socket once ~ is expanded is said to be so', async (t) => {
  const rig = await startRig(t);
  const home = join(rig.dir, 'h'.repeat(90));
  mkdirSync(home);
  await rig.own(listenAt('app-with-a-name.sock', home));
  const error = await explain(remote(rig, { home }), '~/app-with-a-name.sock');
  assert.equal(error.code, 'socket-path-too-long');
  assert.match(error.hint[0] ?? '', /ln -s /);
});

const ODD_NAMES = [
  'with space.sock',
  `it's "quoted" \`x\` $HOME $(exit 3)`,
  '-n',
  '--help.sock',
  '~',
  '*?[a]{b,c}!',
  '\\n\\0101%s%b%n\\',
  ';exit #&|<>()',
  'new\nline\n',
  'tab\tbell\u0007\u001b[31m',
  'žluťoučký-日本-🦊.sock',
  '-',
];

test('a name of whatever characters arrives as it is in every login shell', async (t) => {
  const rig = await startRig(t);
  const dir = rig.folder("a b'c\n");
  for (const name of ODD_NAMES) await rig.own(listenAt(name, dir));
  for (const shell of loginShells()) {
    await t.test(shell.map((word) => basename(word)).join(' '), async () => {
      for (const name of ODD_NAMES) {
        const error = await explain(remote(rig, { shell, home: dir }), `./${name}`);
        const expected =
          hasSs() && !name.includes('\n')
            ? ['socket-forwarding-prohibited']
            : ['socket-unknown', 'socket-nobody-listening'];
        assert.ok(
          expected.includes(error.code),
          `${JSON.stringify(name)}: ${error.code} ${error.hint.join(' ')}`,
        );
        const missing = await explain(remote(rig, { shell, home: dir }), `./${name}x`);
        assert.equal(missing.code, 'socket-missing', JSON.stringify(name));
      }
    });
  }
});

test('control characters of a name reach no message', async (t) => {
  const rig = await startRig(t);
  const name = 'a\u001b]0;title\u0007\n\u202eb';
  writeFileSync(join(rig.dir, name), '');
  const error = await explain(remote(rig), join(rig.dir, name));
  assert.equal(error.code, 'socket-is-not-a-socket');
  assert.doesNotMatch([error.message, ...error.hint].join(''), /[\p{Cc}\u202e]/u);
});

test('what login scripts and logout scripts print does not confuse the answer', async (t) => {
  const rig = await startRig(t);
  const noise = 'user root\\nend reached\\n\\ndeadbeef done\\n';
  const host = remote(rig);
  const noisy: RemoteHost = {
    ...host,
    exec: (command) => host.exec(`printf '${noise}'; (${command}); printf '\\n${noise}'`),
  };
  const error = await explain(noisy, join(rig.dir, 'app.sock'));
  assert.equal(error.code, 'socket-missing');
});

test('where nobody can look the likely causes are listed', async (t) => {
  const rig = await startRig(t);
  const said = (stdout: string) => async () => ({ stdout });
  const hosts = [
    { ...remote(rig), exec: said('This account is currently not available.\n') },
    { ...remote(rig), exec: said('') },
    { ...remote(rig), exec: () => Promise.reject(new Error('exec request failed \u001b[2J')) },
    remote(rig, { shell: ['/bin/false'] }),
  ];
  for (const host of hosts) {
    const error = await explain(host, '/srv/app/app.sock');
    assert.equal(error.code, 'socket-unknown');
    const hint = error.hint.join('\n');
    assert.match(hint, /not exist.*nothing listens.*deploy may not.*AllowStreamLocalForwarding/s);
    assert.ok(!hint.includes('\u001b'));
  }
});

test('an answer that was cut off is no answer', async (t) => {
  const rig = await startRig(t);
  const host = remote(rig);
  const cut: RemoteHost = {
    ...host,
    exec: async (command) => {
      const { stdout } = await host.exec(command);
      return { stdout: stdout.slice(0, stdout.length / 2) };
    },
  };
  assert.equal((await explain(cut, rig.dir)).code, 'socket-unknown');
});

test('a server that says why is believed without a look', async () => {
  const host: RemoteHost = {
    settings: { alias: 'vps', user: 'deploy' },
    exec: () => assert.fail('a command was run'),
    tcpPermitted: () => assert.fail('a port was tried'),
  };
  const codes = await Promise.all(
    [1, 3, 4].map(async (reason) => (await explain(host, '/app.sock', { reason, description: 'no' })).code),
  );
  assert.deepEqual(codes, [
    'socket-forwarding-prohibited',
    'socket-forwarding-unsupported',
    'socket-resource-shortage',
  ]);
});
