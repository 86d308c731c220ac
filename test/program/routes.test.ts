import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { hasIpv6, needs, type Requirement } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { echo, freePort, readToEnd } from '../rig/servers.ts';
import { makeKey } from '../rig/ssh-keys.ts';
import type { SshClient } from '../rig/ssh-client.ts';
import type { Sshd, SshdOptions } from '../rig/sshd.ts';
import type { TestUser } from '../rig/users.ts';

const transports = ['ssh2', 'openssh'] as const;

async function start(
  t: TestContext,
  options: SshdOptions = {},
  ...requirements: Requirement[]
): Promise<{ rig: Rig; sshd: Sshd } | undefined> {
  if (!needs(t, 'sshd', ...requirements)) return undefined;
  const rig = await startRig(t);
  return { rig, sshd: await rig.sshd(options) };
}

/** An ssh_config of its own with the hosts of several. */
function writeConfig(rig: Rig, ...clients: readonly SshClient[]): string[] {
  const file = join(rig.folder('client'), 'config');
  writeFileSync(file, clients.map(({ configFile }) => readFileSync(configFile, 'utf8')).join(''));
  return ['-F', file];
}

/** Starts the program with these arguments and a forward to an echo server, and sends something through it. */
async function carries(rig: Rig, args: readonly string[]): ReturnType<Rig['tunnel']> {
  const server = await rig.serve(echo);
  const port = await freePort();
  const tunnel = await rig.tunnel([...args, `${port}:127.0.0.1:${server.port}`]);
  await tunnel.waitFor(new RegExp(`localhost:${port}`));
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end('there and back');
  assert.equal(await readToEnd(socket), 'there and back');
  return tunnel;
}

/** What it wrote when it ended with 255. */
async function refused(rig: Rig, args: readonly string[]): Promise<string> {
  const tunnel = await rig.tunnel([...args, String(await freePort())]);
  const { status } = await tunnel.exit;
  assert.equal(status, 255, tunnel.stderr);
  return tunnel.stderr;
}

interface Hop {
  readonly user: TestUser;
  readonly sshd: Sshd;
  readonly client: SshClient;
}

interface Route {
  readonly rig: Rig;
  readonly a: Hop;
  readonly b: Hop;
  readonly target: Hop;
}

/** Three hosts with a user, an identity and a known_hosts file each. `a` lets through to `b` only, and `b` to `target`. */
async function startRoute(t: TestContext): Promise<Route | undefined> {
  if (!needs(t, 'sshd', 'root')) return undefined;
  const rig = await startRig(t);
  const hop = async (name: string, config: readonly string[], jump: readonly string[] = []): Promise<Hop> => {
    const user = await rig.user();
    const sshd = await rig.sshd({ user, config });
    return { user, sshd, client: sshd.writeClient({ name, config: jump }) };
  };
  const target = await hop('target', [], ['ProxyJump a,b']);
  const b = await hop('b', [`PermitOpen 127.0.0.1:${target.sshd.port}`]);
  const a = await hop('a', [`PermitOpen 127.0.0.1:${b.sshd.port}`]);
  return { rig, a, b, target };
}

function assertEachLetInItsOwn({ a, b, target }: Route): void {
  for (const { sshd, user } of [a, b, target]) {
    const [accepted, ...more] = sshd.log().match(/Accepted publickey for \S+/g) ?? [];
    assert.equal(accepted, `Accepted publickey for ${user.name}`);
    assert.deepEqual(more, []);
  }
}

for (const transport of transports) {
  const flag = ['--transport', transport];

  test(`${transport}: ProxyJump goes through two hops, each with its own user, key and known_hosts`, async (t) => {
    const route = await startRoute(t);
    if (route === undefined) return;
    const { rig, a, b, target } = route;
    const flags = writeConfig(rig, a.client, b.client, target.client);
    const tunnel = await carries(rig, [...flags, ...flag, 'target']);
    assertEachLetInItsOwn(route);
    assert.equal((await tunnel.interrupt()).status, 130);
  });

  test(`${transport}: -J goes through the hops that it names instead of those of the configuration`, async (t) => {
    const route = await startRoute(t);
    if (route === undefined) return;
    const { rig, a, b } = route;
    const target = route.target.sshd.writeClient({ name: 'target', config: ['ProxyJump nowhere.invalid'] });
    const flags = writeConfig(rig, a.client, b.client, target);
    await carries(rig, [...flags, ...flag, '-J', 'a,b', 'target']);
    assertEachLetInItsOwn(route);
  });

  for (const [place, name] of [
    ['first', 'a'],
    ['second', 'b'],
  ] as const) {
    test(`${transport}: an unknown host key of the ${place} hop is refused with 255 and the name of the hop`, async (t) => {
      const route = await startRoute(t);
      if (route === undefined) return;
      const { rig, a, b, target } = route;
      const stranger = route[name].sshd.writeClient({ name, known: false });
      const hops = name === 'a' ? [stranger, b.client] : [a.client, stranger];
      const said = await refused(rig, [...writeConfig(rig, ...hops, target.client), ...flag, 'target']);
      assert.match(said, new RegExp(`✖ .*host key of ${name} `));
      assert.ok(!said.includes(target.client.knownHostsFile), said);
      assert.equal(/Accepted/.test(a.sshd.log()), name === 'b');
      assert.doesNotMatch(b.sshd.log() + target.sshd.log(), /Accepted/);
    });
  }

  test(`${transport}: hops with StrictHostKeyChecking no are passed, unless a key of theirs has changed`, async (t) => {
    const route = await startRoute(t);
    if (route === undefined) return;
    const { rig, a, b, target } = route;
    const lax = (hop: Hop): SshClient =>
      hop.sshd.writeClient({ name: hop.client.name, known: false, config: ['StrictHostKeyChecking no'] });
    const flags = writeConfig(rig, lax(a), lax(b), target.client);
    for (const known of [false, true]) {
      const tunnel = await carries(rig, [...flags, ...flag, ...(known ? ['-J', 'a,b'] : []), 'target']);
      assert.equal(/Added|Permanently added/.test(tunnel.stderr), !known, tunnel.stderr);
      await tunnel.interrupt();
    }
    for (const hop of [b, a]) {
      await hop.sshd.restart({ newHostKeys: true });
      const said = await refused(rig, [...flags, ...flag, 'target']);
      assert.match(said, new RegExp(`✖ .*host key of ${hop.client.name} .*changed`));
      assert.doesNotMatch(hop.sshd.log(), /Accepted/);
    }
  });

  test(`${transport}: a hop that does not let us in ends with 255 and is named`, async (t) => {
    const route = await startRoute(t);
    if (route === undefined) return;
    const { rig, a, b, target } = route;
    const outsider = b.sshd.writeClient({ name: 'b', identity: a.sshd.identity });
    const flags = writeConfig(rig, a.client, outsider, target.client);
    const said = await refused(rig, [...flags, ...flag, 'target']);
    assert.match(said, new RegExp(`✖ Permission denied: b did not let ${b.user.name} in`));
    assert.doesNotMatch(said, /Nothing was tried/);
  });

  test(`${transport}: a ProxyCommand with nc reaches the host`, async (t) => {
    const started = await start(t, {}, 'nc');
    if (started === undefined) return;
    const { rig, sshd } = started;
    const client = sshd.writeClient({ config: ['ProxyCommand nc %h %p'] });
    const tunnel = await carries(rig, [...client.flags, ...flag, 'vps']);
    assert.equal((await tunnel.interrupt()).status, 130);
  });

  test(`${transport}: a ProxyCommand with ssh -W reaches the host through another`, async (t) => {
    const started = await start(t, {}, 'ssh');
    if (started === undefined) return;
    const { rig, sshd } = started;
    const hop = await rig.sshd({ config: [`PermitOpen 127.0.0.1:${sshd.port}`] });
    const { flags } = hop.writeClient({ name: 'hop' });
    const client = sshd.writeClient({ config: [`ProxyCommand ssh ${flags.join(' ')} -W %h:%p hop`] });
    const tunnel = await carries(rig, [...client.flags, ...flag, 'vps']);
    assert.match(hop.log(), /Accepted publickey/);
    assert.equal((await tunnel.interrupt()).status, 130);
  });

  test(`${transport}: a ProxyCommand that fails ends with 255 and is named`, async (t) => {
    const started = await start(t);
    if (started === undefined) return;
    const { rig, sshd } = started;
    const client = sshd.writeClient({ config: ['ProxyCommand sh -c "exit 3"; : to-%h'] });
    const said = await refused(rig, [...client.flags, ...flag, 'vps']);
    assert.match(said, /✖ .*ProxyCommand of vps/);
    assert.match(said, /to-127\.0\.0\.1/);
  });
}

test('ssh2: a ProxyCommand that would pass a socket on is refused, and not run', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const trace = join(rig.folder('command'), 'trace');
  const client = sshd.writeClient({ config: [`ProxyCommand touch ${trace}`, 'ProxyUseFdpass yes'] });
  const said = await refused(rig, [...client.flags, '--transport', 'ssh2', 'vps']);
  assert.match(said, /✖ .*ProxyUseFdpass[\s\S]*--transport openssh/);
  assert.equal(existsSync(trace), false);
});

test("the person's own ControlMaster is used, and goes on after the end", async (t) => {
  const started = await start(t, { relay: true }, 'ssh');
  if (started === undefined) return;
  const { rig, sshd } = started;
  const path = join(rig.folder('control'), 'master');
  const client = sshd.writeClient({ config: [`ControlPath ${path}`] });
  await rig.start(['ssh', '-M', '-N', '-S', path, ...client.flags, 'vps'], { ready: () => existsSync(path) });
  const tunnel = await carries(rig, [...client.flags, '-v', 'vps']);
  assert.match(tunnel.stderr, /transport openssh: .*answers on /);
  assert.equal((await tunnel.interrupt()).status, 130);
  assert.equal(sshd.relay?.total, 1);
  assert.equal(sshd.relay.open, 1);
  const check = await rig.run(['ssh', '-O', 'check', '-S', path, ...client.flags, 'vps']);
  assert.equal(check.status, 0, check.stderr);
});

test('openssh: an unknown host key is refused with 255 and not kept', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const client = sshd.writeClient({ name: 'stranger', known: false });
  const said = await refused(rig, [...client.flags, '--transport', 'openssh', 'stranger']);
  assert.match(said, /✖ The host key of stranger is not known/);
  assert.equal(readFileSync(client.knownHostsFile, 'utf8'), '');
  assert.doesNotMatch(sshd.log(), /Accepted/);
});

test('openssh: a changed host key is refused with 255, the file and the line', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const { flags, knownHostsFile } = sshd.client;
  await sshd.restart({ newHostKeys: true });
  for (const option of [[], ['-o', 'StrictHostKeyChecking=no']]) {
    const said = await refused(rig, [...flags, ...option, '--transport', 'openssh', 'vps']);
    assert.match(said, /✖ The host key of vps has changed/);
    assert.doesNotMatch(said, /^! /m);
    assert.ok(said.includes(`${knownHostsFile}:1`), said);
    assert.equal(/StrictHostKeyChecking no accepts new keys/.test(said), option.length > 0);
    assert.match(said, /ssh-keygen .*-R/);
  }
  assert.doesNotMatch(sshd.log(), /Accepted/);
});

test('openssh: a wrong key is refused with 255, what was tried and what the server accepts', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const identity = await makeKey(join(rig.folder('keys'), 'wrong'));
  const client = sshd.writeClient({ identity });
  const said = await refused(rig, [...client.flags, '--transport', 'openssh', 'vps']);
  assert.match(said, /✖ Permission denied: vps did not let \S+ in/);
  assert.match(said, new RegExp(`Tried: ${identity.file}`));
  assert.match(said, /The server accepts: publickey/);
});

/** The code of the one error when a connection to `socket` is opened. */
async function complaint(rig: Rig, sshd: Sshd, socket: string): Promise<unknown> {
  const port = await freePort();
  const args = [...sshd.client.flags, '--transport', 'openssh', '--json', 'vps', `${port}:${socket}`];
  const tunnel = await rig.tunnel(args);
  await tunnel.waitForEvent('forward');
  const client = connect(port, '127.0.0.1');
  assert.equal(((await once(client, 'error')) as [NodeJS.ErrnoException])[0].code, 'ECONNRESET');
  await tunnel.waitForEvent('error');
  await tunnel.interrupt();
  const error = tunnel.events.find(({ event }) => event === 'error')?.['error'];
  return (error as { code: string }).code;
}

test('openssh: a socket that is missing, and one that is not permitted, are explained', async (t) => {
  if (!needs(t, 'sshd', 'root', 'gunicorn')) return;
  const rig = await startRig(t);
  const [user, owner] = [await rig.user(), await rig.user()];
  const sshd = await rig.sshd({ user });
  assert.equal(await complaint(rig, sshd, '~/missing.sock'), 'socket-missing');
  const { socket } = await rig.gunicorn({ user: owner });
  assert.equal(await complaint(rig, sshd, socket ?? ''), 'socket-permission');
});

test('openssh: with ExitOnForwardFailure a forward that fails ends with 255', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const server = await rig.serve(echo);
  // sshd is content with one of the loopback addresses.
  if (hasIpv6()) await rig.serve(echo, { host: '::1', port: server.port });
  const options = ['--transport', 'openssh', '-o', 'ExitOnForwardFailure=yes'];
  for (const letter of ['-R', '-L']) {
    const spec = [letter, `${server.port}:localhost:1`];
    const tunnel = await rig.tunnel([...sshd.client.flags, ...options, ...spec, 'vps']);
    assert.equal((await tunnel.exit).status, 255, tunnel.stderr);
    assert.match(tunnel.stderr, new RegExp(`✖ .*${server.port}`));
  }
});
