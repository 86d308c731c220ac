import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { randomSha256 } from '../rig/random.ts';
import { hasIpv6, needs, type Requirement } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { echo, freePort, source, type SmallServer } from '../rig/servers.ts';
import type { Sshd, SshdOptions } from '../rig/sshd.ts';

const LENGTH = 8 * 1024 * 1024;

async function start(
  t: TestContext,
  options: SshdOptions = {},
  ...requirements: Requirement[]
): Promise<{ rig: Rig; sshd: Sshd } | undefined> {
  if (!needs(t, 'sshd', ...requirements)) return undefined;
  const rig = await startRig(t);
  return { rig, sshd: await rig.sshd(options) };
}

async function ports(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) found.add(await freePort());
  return [...found];
}

/** A web server on a free port, or on a socket's path. */
function web(rig: Rig): Promise<SmallServer> {
  const server = createServer((request, response) => response.end(`${request.headers.host}${request.url}`));
  return rig.serve((socket) => server.emit('connection', socket));
}

for (const transport of ['ssh2', 'openssh']) {
  const flag = ['--transport', transport];

  test(`${transport}: nine links of alternating -L and -R carry a file unchanged`, async (t) => {
    const started = await start(t, {}, 'curl');
    if (started === undefined) return;
    const { rig, sshd } = started;
    const chain = await ports(9);
    const server = await rig.serve(source('chain', LENGTH));
    const links = chain.flatMap((port, index) => {
      const next = chain[index + 1] ?? server.port;
      return [index % 2 === 0 ? '-L' : '-R', `${port}:localhost:${next}`];
    });
    const tunnel = await rig.tunnel([...sshd.client.flags, ...flag, ...links, 'vps']);
    await tunnel.waitFor(new RegExp(`localhost:${chain.at(-1)}.*${server.port}`));
    const sum = await rig.run([
      'sh',
      '-c',
      `curl --silent --http0.9 http://127.0.0.1:${chain[0]}/ | sha256sum`,
    ]);
    assert.ok(sum.stdout.startsWith(randomSha256('chain', LENGTH)), sum.stderr);
  });

  test(`${transport}: socket to socket to socket carries a file unchanged`, async (t) => {
    const started = await start(t);
    if (started === undefined) return;
    const { rig, sshd } = started;
    const dir = rig.folder('s');
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => join(dir, name)) as [
      string,
      string,
      string,
      string,
    ];
    await rig.serve(source('sockets', LENGTH), { path: d });
    const links = ['-L', `${a}:${b}`, '-R', `${b}:${c}`, '-L', `${c}:${d}`];
    const tunnel = await rig.tunnel([...sshd.client.flags, ...flag, ...links, 'vps']);
    await tunnel.waitFor(new RegExp(`${c} → ${d}`));
    const hash = createHash('sha256');
    for await (const data of connect({ path: a })) hash.update(data as Buffer);
    assert.equal(hash.digest('hex'), randomSha256('sockets', LENGTH));
  });

  test(`${transport}: curl reaches a server through -D with each version of SOCKS`, async (t) => {
    const started = await start(t, {}, 'curl');
    if (started === undefined) return;
    const { rig, sshd } = started;
    const server = await web(rig);
    const port = await freePort();
    const tunnel = await rig.tunnel([...sshd.client.flags, ...flag, '-D', String(port), 'vps']);
    await tunnel.waitFor(new RegExp(`socks5h://localhost:${port}`));
    for (const [option, host] of [
      ['--socks5-hostname', 'localhost'],
      ['--socks4a', 'localhost'],
      ['--socks5', '127.0.0.1'],
      ['--socks4', '127.0.0.1'],
    ]) {
      const url = `http://${host}:${server.port}/x`;
      const page = await rig.run([
        'curl',
        '--silent',
        '--show-error',
        String(option),
        `127.0.0.1:${port}`,
        url,
      ]);
      assert.equal(page.stdout, `${host}:${server.port}/x`, page.stderr);
    }
  });

  test(`${transport}: -R with a port alone is a SOCKS proxy there`, async (t) => {
    const started = await start(t, {}, 'curl');
    if (started === undefined) return;
    const { rig, sshd } = started;
    const server = await web(rig);
    const port = await freePort();
    const tunnel = await rig.tunnel([...sshd.client.flags, ...flag, '-R', String(port), 'vps']);
    await tunnel.waitFor(new RegExp(`localhost:${port} there`));
    for (const [option, host] of [
      ['--socks5-hostname', 'localhost'],
      ['--socks4a', 'localhost'],
      ['--socks5', '127.0.0.1'],
    ] as const) {
      const proxy = [option, `127.0.0.1:${port}`];
      const page = await rig.run(['curl', '--silent', ...proxy, `http://${host}:${server.port}/x`]);
      assert.equal(page.stdout, `${host}:${server.port}/x`, option);
    }
  });

  test(`${transport}: -R 0 shows the port that the server chose`, async (t) => {
    const started = await start(t, {}, 'curl');
    if (started === undefined) return;
    const { rig, sshd } = started;
    const server = await web(rig);
    const tunnel = await rig.tunnel([
      ...sshd.client.flags,
      ...flag,
      '-R',
      `0:localhost:${server.port}`,
      'vps',
    ]);
    const [, port] = await tunnel.waitFor(/localhost:(\d+) there/);
    assert.notEqual(port, '0');
    const page = await rig.run(['curl', '--silent', `http://localhost:${port}/x`]);
    assert.equal(page.stdout, `localhost:${port}/x`);
  });
}

test("without specs the host's own LocalForward, RemoteForward and DynamicForward lines are opened", async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const server = await rig.serve(echo);
  const [local, remote, dynamic] = await ports(3);
  const client = sshd.writeClient({
    name: 'forwards',
    config: [
      `LocalForward ${local} localhost:${server.port}`,
      `RemoteForward ${remote} localhost:${server.port}`,
      `DynamicForward ${dynamic}`,
    ],
  });
  const tunnel = await rig.tunnel([...client.flags, 'forwards']);
  await tunnel.waitFor(new RegExp(`socks5h://localhost:${dynamic}`));
  for (const port of [local, remote]) {
    const answer = await text(
      connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true }).end('hello'),
    );
    assert.equal(answer, 'hello');
  }
  await tunnel.interrupt();

  const other = await rig.tunnel([...client.flags, 'forwards', String(await freePort())]);
  await other.waitFor(/localhost/);
  const refused = connect({ port: Number(local), host: '127.0.0.1' });
  assert.equal(((await once(refused, 'error')) as [NodeJS.ErrnoException])[0].code, 'ECONNREFUSED');
});

test('ClearAllForwardings leaves a session that stays up with nothing opened', async (t) => {
  const started = await start(t, { relay: true });
  if (started === undefined) return;
  const { rig, sshd } = started;
  const port = await freePort();
  const tunnel = await rig.tunnel([
    ...sshd.client.flags,
    '-o',
    'ClearAllForwardings=yes',
    'vps',
    String(port),
  ]);
  await tunnel.waitFor(/Connected to vps/);
  const refused = connect({ port, host: '127.0.0.1' });
  assert.equal(((await once(refused, 'error')) as [NodeJS.ErrnoException])[0].code, 'ECONNREFUSED');
  assert.equal(sshd.relay?.open, 1);
  assert.equal((await tunnel.interrupt()).status, 130);
});

test('with ExitOnForwardFailure a forward that fails ends with 255, as in ssh', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const server = await rig.serve(echo);
  // sshd is content with one of the loopback addresses.
  if (hasIpv6()) await rig.serve(echo, { host: '::1', port: server.port });
  const option = ['-o', 'ExitOnForwardFailure=yes'];
  for (const spec of [
    ['-R', `${server.port}:localhost:1`],
    ['-L', `${server.port}:localhost:1`],
  ]) {
    const tunnel = await rig.tunnel([...sshd.client.flags, ...option, ...spec, 'vps']);
    assert.equal((await tunnel.exit).status, 255);
    assert.match(tunnel.stderr, new RegExp(`✖ .*${server.port}`));
  }
});

test('PermitRemoteOpen limits what a remote SOCKS proxy reaches here', async (t) => {
  const started = await start(t, {}, 'curl');
  if (started === undefined) return;
  const { rig, sshd } = started;
  const [allowed, other] = [await web(rig), await web(rig)];
  const port = await freePort();
  const option = ['-o', `PermitRemoteOpen=localhost:${allowed.port}`];
  const tunnel = await rig.tunnel([...sshd.client.flags, ...option, '-R', String(port), 'vps']);
  await tunnel.waitFor(new RegExp(`localhost:${port} there`));
  const get = (target: number): ReturnType<Rig['run']> =>
    rig.run(['curl', '--silent', '--socks5-hostname', `127.0.0.1:${port}`, `http://localhost:${target}/`]);
  assert.equal((await get(allowed.port)).status, 0);
  assert.notEqual((await get(other.port)).status, 0);
  assert.equal(other.total, 0);
});

test('-g says who can now use the port', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const port = await freePort();
  const tunnel = await rig.tunnel([...sshd.client.flags, '-g', 'vps', String(port)]);
  await tunnel.waitFor(new RegExp(`Everyone who can reach this machine can use port ${port}`));
});

test('StreamLocalBindMask decides who else may use a socket here', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const path = join(rig.folder('s'), 'local.sock');
  const option = ['-o', 'StreamLocalBindMask=0117'];
  const tunnel = await rig.tunnel([...sshd.client.flags, ...option, 'vps', `${path}:3000`]);
  await tunnel.waitFor(/local\.sock/);
  assert.equal(statSync(path).mode & 0o777, 0o660);
});
