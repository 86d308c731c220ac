import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { findProject, isTrusted, PROJECT_FILE, trust } from '../../src/config/project.ts';
import { UsageError } from '../../src/errors.ts';
import { formatSpec } from '../../src/spec.ts';
import { makeTempDir } from '../rig/temp-dir.ts';

function place(t: TestContext): string {
  const dir = makeTempDir();
  t.after(() => dir.remove());
  return dir.path;
}

const never = (message: string): never => assert.fail(message);

test('the file is that of the directory, or of the nearest above it', (t) => {
  const dir = place(t);
  mkdirSync(join(dir, 'a/b/c'), { recursive: true });
  assert.equal(findProject(join(dir, 'a/b/c')), undefined);
  writeFileSync(join(dir, PROJECT_FILE), '{"forwards": ["1"]}');
  assert.equal(findProject(join(dir, 'a/b/c'))?.path, join(dir, PROJECT_FILE));
  writeFileSync(
    join(dir, 'a', PROJECT_FILE),
    '{"$schema": "x", "forwards": ["2", "./x.sock:3"], "routes": ["/=1"]}',
  );
  const project = findProject(join(dir, 'a/b/c'));
  assert.deepEqual(project?.forwards?.map(formatSpec), ['2', `${join(dir, 'a/x.sock')}:3`]);
  assert.deepEqual(project?.routes, ['/=1']);
});

/** What somebody who can only write a project's file would like to happen. */
const corpus: readonly [name: string, contents: string, problem: RegExp][] = [
  ['a command', '{"command": "touch /tmp/x"}', /: command is not known/],
  ['a command of ssh', '{"options": {"ssh": ["ProxyCommand=touch /tmp/x"]}}', /: options is not known/],
  ['a host', '{"host": "evil.example"}', /: host is not known/],
  ['hosts', '{"sessions": [{"host": "evil.example"}]}', /: sessions is not known/],
  ['a key', '{"identity": "~/.ssh/id_ed25519"}', /: identity is not known/],
  ['a jump host', '{"jump": "evil.example"}', /: jump is not known/],
  ['a configuration', '{"config": "./ssh_config"}', /: config is not known/],
  ['a transport', '{"transport": "openssh"}', /: transport is not known/],
  ['a network', '{"wireguard": "10.0.0.1", "via": "wireguard"}', /: wireguard is not known/],
  ['a place to listen', '{"http": "0.0.0.0:80"}', /: http is not known/],
  ['a remote forward', '{"forwards": ["-R 9000:localhost:22"]}', /: forwards\[0\]/],
  ['a remote forward, joined', '{"forwards": ["-R9000:localhost:22"]}', /: forwards\[0\]/],
  ['a SOCKS proxy', '{"forwards": ["-D 1080"]}', /: forwards\[0\]/],
  ['another flag', '{"forwards": ["-oProxyCommand=id"]}', /: forwards\[0\]/],
  ['a long flag', '{"forwards": ["--option=ProxyCommand=id"]}', /: forwards\[0\]/],
  ['forwards by kind', '{"forwards": [{"kind": "remote", "spec": "9000"}]}', /: forwards\[0\] is an object/],
  ['other keys for it', '{"remote": ["9000"]}', /: remote is not known/],
  ['every interface', '{"forwards": ["*:8080:localhost:80"]}', /: forwards\[0\] would let other machines in/],
  ['every interface, without a star', '{"forwards": [":8080:localhost:80"]}', /: forwards\[0\] would let/],
  [
    'every interface, as an address',
    '{"forwards": ["0.0.0.0:8080:localhost:80"]}',
    /would let other machines/,
  ],
  ['every interface of IPv6', '{"forwards": ["[::]:8080:localhost:80"]}', /would let other machines/],
  ['an address as a number', '{"forwards": ["1", "0:8080:localhost:80"]}', /: forwards\[1\]/],
  ['a name that may be any address', '{"forwards": ["laptop:8080:localhost:80"]}', /: forwards\[0\]/],
  ['a socket elsewhere', '{"forwards": ["/tmp/agent.sock:/run/x.sock"]}', /a socket outside the project/],
  ['a socket in the home', '{"forwards": ["~/.ssh/agent:/run/x.sock"]}', /a socket outside the project/],
  ['a socket above', '{"forwards": ["./../x.sock:/run/x.sock"]}', /a socket outside the project/],
  ['a prototype', '{"__proto__": {"forwards": ["1"]}}', /: __proto__ is not known/],
  ['a constructor', '{"constructor": {}}', /: constructor is not known/],
  ['control characters', '{"forwards": ["\\u001b]0;x\\u0007"]}', /: forwards\[0\]/],
  ['control characters in a key', '{"\\u001b[2J": 1}', /is not known/],
  ['the same key twice', '{"forwards": ["1"], "forwards": ["-R 9000"]}', /: forwards\[0\]/],
  ['no list', '{"forwards": "1 -oProxyCommand=id"}', /: forwards is text/],
  ['an empty route', '{"routes": [""]}', /: routes\[0\] is empty/],
  ['a route that is none', '{"routes": [{"exec": "id"}]}', /: routes\[0\] is an object/],
  ['a comment', '{"forwards": ["1"] /* x */}', /is no JSON/],
  ['a script', 'module.exports = {}', /is no JSON/],
  ['nothing', '', /is no JSON/],
  ['bytes', '\u0000\u0001', /is no JSON/],
  ['a list', '["8081"]', /is a list/],
  ['depth', '['.repeat(100_000), /is no JSON/],
  ['length', `{"routes": ["${'x'.repeat(300_000)}"]}`, /is too long/],
];

for (const [name, contents, problem] of corpus) {
  test(`a project's file with ${name} is refused by its key`, (t) => {
    const dir = place(t);
    const path = join(dir, PROJECT_FILE);
    writeFileSync(path, contents);
    assert.throws(
      () => findProject(dir),
      (error) => {
        assert.ok(error instanceof UsageError, String(error));
        assert.equal(error.exitStatus, 2);
        assert.ok(error.message.startsWith(path), error.message);
        assert.match(error.message, problem);
        return true;
      },
    );
  });
}

test('what is no file is not waited for', (t) => {
  const dir = place(t);
  for (const name of ['pipe', 'directory', 'loop', 'gone']) mkdirSync(join(dir, name));
  execFileSync('mkfifo', [join(dir, 'pipe', PROJECT_FILE)]);
  mkdirSync(join(dir, 'directory', PROJECT_FILE));
  symlinkSync(PROJECT_FILE, join(dir, 'loop', PROJECT_FILE));
  symlinkSync('nowhere', join(dir, 'gone', PROJECT_FILE));
  for (const name of ['pipe', 'directory', 'loop', 'gone'])
    assert.equal(findProject(join(dir, name)), undefined);
});

test('what was agreed to are these contents at this place', async (t) => {
  const dir = place(t);
  process.env['TUNNEL_CONFIG_DIR'] = join(dir, 'config');
  t.after(() => delete process.env['TUNNEL_CONFIG_DIR']);
  const write = (name: string, contents: string) => {
    mkdirSync(join(dir, name), { recursive: true });
    writeFileSync(join(dir, name, PROJECT_FILE), contents);
    const project = findProject(join(dir, name));
    assert.ok(project);
    return project;
  };
  const contents = '{"forwards": ["1"]}';
  const project = write('a', contents);
  assert.equal(await isTrusted(project, never), false);
  await trust(project, never);
  assert.equal(await isTrusted(project, never), true);
  assert.equal(await isTrusted(write('b', contents), never), false);
  assert.equal(await isTrusted(write('a', `${contents} `), never), false);
  assert.equal(await isTrusted(write('a', contents), never), true);
});
