import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { permissionHint } from '../../src/discover/socket-permission.ts';
import type { FileFacts, SocketFacts } from '../../src/discover/socket-probe.ts';
import { explainSocketTrouble } from '../../src/discover/socket-trouble.ts';
import type { DialError } from '../../src/errors.ts';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import type { TestUser } from '../rig/users.ts';
import { REFUSAL, remote } from './remote.ts';
import { listenAt } from './sockets.ts';

interface Scene {
  readonly rig: Rig;
  /** Whose socket it is. */
  readonly www: TestUser;
  /** Who connects. */
  readonly deploy: TestUser;
  readonly dir: string;
  readonly path: string;
  /** Asks as `deploy`, or with another way of becoming deploy. */
  readonly explain: (prefix?: readonly string[]) => Promise<DialError>;
}

/** A socket of `www` that `deploy` may not open yet. Undefined where this cannot be had. */
async function scene(t: TestContext, { member = false } = {}): Promise<Scene | undefined> {
  if (!needs(t, 'root')) return undefined;
  const rig = await startRig(t);
  const www = await rig.user();
  const deploy = await rig.user(member ? { groups: [www.name] } : {});
  const dir = rig.folder('srv');
  const path = join(dir, 'app.sock');
  await rig.own(listenAt(path));
  chownSync(path, www.uid, www.gid);
  chmodSync(path, 0o770);
  const explain = (prefix: readonly string[] = deploy.prefix): Promise<DialError> =>
    explainSocketTrouble(remote(rig, { prefix }), { kind: 'unix', path }, REFUSAL);
  return { rig, www, deploy, dir, path, explain };
}

test('a socket for a group that we are not in: says so, and how to get in', async (t) => {
  const here = await scene(t);
  if (here === undefined) return;
  const { www, deploy, path, explain } = here;
  const error = await explain();
  assert.equal(error.code, 'socket-permission');
  assert.equal(error.message, `Cannot open ${path} on vps: permission denied`);
  assert.deepEqual(error.hint, [
    `The socket is srwxrwx--- ${www.name}:${www.name}; you are ${deploy.name}, who is not in ${www.name}.`,
    `Start its server as ${deploy.name} (Gunicorn: with -m 007), or: sudo usermod -aG ${www.name} ${deploy.name}`,
    'Then connect again: groups are given at login.',
  ]);
});

test('a member of the group may open the socket, so that it is not the permissions', async (t) => {
  const here = await scene(t, { member: true });
  if (here === undefined) return;
  assert.equal((await here.explain()).code, 'socket-forwarding-prohibited');
});

test('a member of the group since the login must connect again', async (t) => {
  const here = await scene(t, { member: true });
  if (here === undefined) return;
  const { name } = here.deploy;
  const error = await here.explain(['setpriv', `--reuid=${name}`, `--regid=${name}`, '--clear-groups', '--']);
  assert.equal(error.code, 'socket-permission');
  assert.match(error.hint[0] ?? '', new RegExp(`who is in ${here.www.name} but was not yet`));
  assert.deepEqual(error.hint.slice(1), ['Connect again: groups are given at login.']);
});

test('a group that may not write is told apart from not being in it', async (t) => {
  const here = await scene(t, { member: true });
  if (here === undefined) return;
  chmodSync(here.path, 0o750);
  const error = await here.explain();
  assert.equal(error.code, 'socket-permission');
  assert.match(error.hint[0] ?? '', /srwxr-x---.*, which may not write to it\.$/);
  assert.match(error.hint[1] ?? '', /umask 007.*sudo chmod g\+w /);
});

test('a socket for its owner alone offers no group', async (t) => {
  const here = await scene(t);
  if (here === undefined) return;
  chmodSync(here.path, 0o700);
  const error = await here.explain();
  assert.match(error.hint[0] ?? '', /srwx------.*, and only its owner may write to it\.$/);
  assert.doesNotMatch(error.hint.join(' '), /usermod/);
});

test("the owner's own rights count even where the group has more", async (t) => {
  const here = await scene(t);
  if (here === undefined) return;
  chownSync(here.path, here.deploy.uid, here.deploy.gid);
  chmodSync(here.path, 0o577);
  const error = await here.explain();
  assert.match(error.hint[0] ?? '', /its owner, who may not write to it\.$/);
  assert.equal(error.hint[1], `Run: chmod u+w ${here.path}`);
});

test('nobody is told to join the group of root', async (t) => {
  const here = await scene(t);
  if (here === undefined) return;
  chownSync(here.path, 0, 0);
  const error = await here.explain();
  assert.match(error.hint[0] ?? '', /root:root/);
  assert.doesNotMatch(error.hint.join(' '), /usermod/);
});

test('the first directory that may not be entered is named, though the socket itself may be opened', async (t) => {
  const here = await scene(t);
  if (here === undefined) return;
  const { dir, www, deploy } = here;
  chmodSync(here.path, 0o777);
  chownSync(dir, www.uid, www.gid);
  chmodSync(dir, 0o750);
  const joinable = await here.explain();
  assert.equal(joinable.code, 'socket-permission');
  assert.deepEqual(joinable.hint, [
    `The directory ${dir} is drwxr-x--- ${www.name}:${www.name}; you are ${deploy.name}, who is not in ${www.name}.`,
    `Run: sudo usermod -aG ${www.name} ${deploy.name}`,
    'Then connect again: groups are given at login.',
  ]);
  chmodSync(dir, 0o700);
  const closed = await here.explain();
  assert.equal(closed.hint[1], `To let everybody pass through it: sudo chmod o+x ${dir}`);
});

test('a closed directory hides what is behind it, so that nothing is called missing', async (t) => {
  const here = await scene(t);
  if (here === undefined) return;
  const { rig, dir, deploy } = here;
  mkdirSync(join(dir, 'closed'), { mode: 0o700 });
  const host = remote(rig, { prefix: deploy.prefix });
  const error = await explainSocketTrouble(
    host,
    { kind: 'unix', path: `${dir}/closed/none/app.sock` },
    REFUSAL,
  );
  assert.equal(error.code, 'socket-permission');
  assert.match(error.hint[0] ?? '', /The directory .*\/closed is drwx------ root:root/);
});

test('a directory that may be entered but not listed is no obstacle', async (t) => {
  const here = await scene(t, { member: true });
  if (here === undefined) return;
  chmodSync(here.dir, 0o711);
  assert.equal((await here.explain()).code, 'socket-forwarding-prohibited');
});

test('a right that the mode grants and the kernel does not points to access lists', () => {
  const file: FileFacts = {
    mode: 'srw-rw-rw-',
    uid: 0,
    gid: 0,
    owner: 'root',
    group: 'root',
    inode: 1,
    writable: false,
  };
  const facts: SocketFacts = {
    user: 'deploy',
    uid: 1000,
    gids: [1000],
    accountGids: [1000],
    path: "/srv/it's.sock",
    end: 'reached',
    at: "/srv/it's.sock",
    rest: '',
    settings: [],
    file,
  };
  const hint = permissionHint(facts, file);
  assert.match(hint[0] ?? '', /srw-rw-rw- root:root; you are deploy, whom this lets pass/);
  assert.match(hint[1] ?? '', /getfacl '\/srv\/it'\\''s\.sock'$/);
});
