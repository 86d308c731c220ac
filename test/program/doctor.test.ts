import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { makeStale } from '../discover/sockets.ts';
import { startEmbeddedSshd } from '../rig/embedded-sshd.ts';
import { needs, skipWithout } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import type { RunOptions } from '../rig/run.ts';
import { closesFirst, freePort, serve, silent } from '../rig/servers.ts';
import { writeSshClient, type SshClient } from '../rig/ssh-client.ts';
import { makeKey } from '../rig/ssh-keys.ts';
import type { Sshd, SshdOptions } from '../rig/sshd.ts';
import { binary } from '../rig/tunnel.ts';

interface Finding {
  readonly step: string;
  readonly verdict: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly what: string;
  readonly hint: readonly string[];
  readonly ms: number;
  readonly code?: string;
}

interface Examination {
  readonly ok: boolean;
  readonly findings: readonly Finding[];
}

async function doctor(
  rig: Rig,
  args: readonly string[],
  options: Partial<RunOptions> = {},
): Promise<Examination> {
  const result = await rig.run([process.execPath, binary, 'doctor', '--json', ...args], {
    cwd: rig.env['HOME'] ?? rig.dir,
    ...options,
  });
  assert.ok(result.stdout.startsWith('{'), result.stderr);
  const examination = JSON.parse(result.stdout) as Examination;
  assert.equal(result.status, examination.ok ? 0 : 1, 'the status says whether all is well');
  return examination;
}

/** Makes one thing wrong, and gives the words after `tunnel doctor`. */
type Break = (rig: Rig) => Promise<readonly string[]>;

/** The first failure: its step, and what it or its hints name. */
type Broken = readonly [name: string, step: string, named: RegExp, make: Break];

async function host(rig: Rig, options: SshdOptions = {}): Promise<Sshd> {
  return await rig.sshd(options);
}

/** A client of what listens at `port`, who knows no host key. */
async function clientOf(rig: Rig, port: number, config: string[] = []): Promise<SshClient> {
  const dir = rig.folder('client');
  const identity = await makeKey(join(dir, 'id'));
  return writeSshClient(dir, { hostname: '127.0.0.1', port, user: 'deploy', identity, hostKeys: [], config });
}

async function ofSshd(rig: Rig, config: string[], ...specs: string[]): Promise<string[]> {
  const sshd = await host(rig, { config });
  return [...sshd.client.flags, 'vps', ...specs];
}

/** An app on a port there, as a spec with a free port here. */
async function app(rig: Rig): Promise<string> {
  const { port } = await rig.serve(closesFirst('hello'));
  return `auto:${port}`;
}

const configuration: Broken[] = [
  [
    'a line of the configuration that cannot be read',
    'configuration',
    /Port/,
    async (rig) => {
      const file = join(rig.dir, 'bad.config');
      writeFileSync(file, 'Host vps\n  Port many\n');
      return ['-F', file, 'vps'];
    },
  ],
  [
    'a configuration file that is not there',
    'configuration',
    /\/does\/not\/exist/,
    async () => ['-F', '/does/not/exist', 'vps'],
  ],
  [
    'a runtime directory that others may enter',
    'directory',
    /mode is 755.*chmod 700/s,
    async (rig) => {
      chmodSync(rig.env['TUNNEL_RUNTIME_DIR'] ?? '', 0o755);
      return await ofSshd(rig, []);
    },
  ],
  [
    'a local port that is taken',
    'listen',
    /Cannot listen on 127\.0\.0\.1:\d+: the port is in use by node/,
    async (rig) => {
      const { port } = await rig.serve(silent);
      return await ofSshd(rig, [], `${port}:80`);
    },
  ],
  [
    'a private key that others may read',
    'key',
    /UNPROTECTED PRIVATE KEY.*0644.*chmod 600/s,
    async (rig) => {
      const sshd = await host(rig);
      chmodSync(sshd.identity.file, 0o644);
      return [...sshd.client.flags, 'vps'];
    },
  ],
];

const ways: Broken[] = [
  [
    'a host name that does not exist',
    'resolve',
    /Cannot find the address of nowhere\.invalid/,
    async () => ['-F', '/dev/null', 'nowhere.invalid'],
  ],
  [
    'a HostName that does not exist',
    'resolve',
    /nowhere\.invalid.*HostName of vps/s,
    async (rig) => {
      const client = await clientOf(rig, 22, ['HostName nowhere.invalid']);
      return [...client.flags, 'vps'];
    },
  ],
  [
    'a port that nothing listens on',
    'address',
    /refuses connections: nothing listens there/,
    async (rig) => [...(await clientOf(rig, await freePort())).flags, 'vps'],
  ],
  [
    'a server that is not an SSH server',
    'banner',
    /not an SSH server: it says "HTTP\/1\.1 400/,
    async (rig) => {
      const { port } = await rig.serve(closesFirst('HTTP/1.1 400 Bad Request\r\n\r\n'));
      return [...(await clientOf(rig, port)).flags, 'vps'];
    },
  ],
  [
    'a server that accepts and says nothing',
    'banner',
    /says nothing/,
    async (rig) => [...(await clientOf(rig, (await rig.serve(silent)).port)).flags, 'vps'],
  ],
  [
    'a server that closes at once',
    'banner',
    /closed the connection at once.*MaxStartups/s,
    async (rig) => [...(await clientOf(rig, (await rig.serve(closesFirst(''))).port)).flags, 'vps'],
  ],
  [
    'a ProxyCommand that fails',
    'proxy-command',
    /ProxyCommand of vps ended with status 3/,
    async (rig) => [...(await clientOf(rig, 22, ["ProxyCommand sh -c 'exit 3'"])).flags, 'vps'],
  ],
  [
    'a jump host that is down',
    'address',
    /Jump host gate: .*refuses connections/,
    async (rig) => {
      const sshd = await host(rig);
      const { configFile } = sshd.client;
      const down = `Host gate\n  HostName 127.0.0.1\n  Port ${await freePort()}\n`;
      writeFileSync(configFile, `${readFileSync(configFile, 'utf8')}\n${down}`);
      return ['-F', configFile, '-J', 'gate', 'vps'];
    },
  ],
  [
    'a jump host that does not let one through',
    'jump-host',
    /Cannot reach vps from the jump host gate/,
    async (rig) => {
      const [sshd, gate] = [await host(rig), await host(rig, { config: ['AllowTcpForwarding no'] })];
      const file = join(rig.dir, 'both');
      const through = gate.writeClient({ name: 'gate' });
      writeFileSync(
        file,
        [sshd.client.configFile, through.configFile].map((path) => readFileSync(path, 'utf8')).join('\n'),
      );
      return ['-F', file, '-J', 'gate', 'vps'];
    },
  ],
];

const logins: Broken[] = [
  [
    'a host key that is not known',
    'host-key',
    /host key of stranger .*is not known/,
    async (rig) => [...(await host(rig)).writeClient({ name: 'stranger', known: false }).flags, 'stranger'],
  ],
  [
    'a host key that has changed',
    'host-key',
    /host key of vps .*has changed/,
    async (rig) => {
      const sshd = await host(rig);
      const { flags } = sshd.client;
      await sshd.restart({ newHostKeys: true });
      return [...flags, 'vps'];
    },
  ],
  [
    'a host key that is revoked',
    'host-key',
    /is revoked/,
    async (rig) => {
      const sshd = await host(rig);
      const { knownHostsFile, flags } = sshd.client;
      writeFileSync(knownHostsFile, `@revoked ${readFileSync(knownHostsFile, 'utf8')}`);
      return [...flags, 'vps'];
    },
  ],
  [
    'a key that the server does not take',
    'login',
    /Permission denied.*did not let .* in/,
    async (rig) => {
      const sshd = await host(rig);
      const identity = await makeKey(join(rig.folder('keys'), 'wrong'));
      return [...sshd.writeClient({ name: 'wrong', identity }).flags, 'wrong'];
    },
  ],
  [
    'no key, and an agent that is not there',
    'login',
    /There is no key to log in.*agent at .*gone\.sock does not answer.*missing does not exist/s,
    async (rig) => await keyless(rig, join(rig.dir, 'gone.sock')),
  ],
  [
    'no key, and an agent without one',
    'login',
    /There is no key to log in.*holds no key/s,
    async (rig) => {
      const path = join(rig.dir, 'agent.sock');
      await rig.start(['ssh-agent', '-D', '-a', path], { ready: (output) => output.includes(path) });
      return await keyless(rig, path);
    },
  ],
  [
    'no algorithm in common',
    'handshake',
    /no cipher in common/,
    async (rig) => [...(await ofSshd(rig, ['Ciphers aes128-ctr'])), '-o', 'Ciphers=aes256-gcm@openssh.com'],
  ],
];

/** Somebody with no key but what the agent may have. */
async function keyless(rig: Rig, agent: string): Promise<string[]> {
  const sshd = await host(rig);
  const file = join(rig.dir, 'keyless');
  const lines = readFileSync(sshd.client.configFile, 'utf8').replace(
    /^ *(Identity.*|IdentitiesOnly.*)\n/gm,
    '',
  );
  writeFileSync(file, `${lines}  IdentityAgent ${agent}\n  IdentityFile ${join(rig.dir, 'missing')}\n`);
  return ['-F', file, 'vps'];
}

const forwarding: Broken[] = [
  [
    'AllowTcpForwarding no',
    'tcp-forwarding',
    /does not forward to ports.*AllowTcpForwarding/s,
    async (rig) => await ofSshd(rig, ['AllowTcpForwarding no']),
  ],
  [
    'AllowTcpForwarding no, with a port asked for',
    'target',
    /AllowTcpForwarding/,
    async (rig) => await ofSshd(rig, ['AllowTcpForwarding no'], await app(rig)),
  ],
  [
    'PermitOpen without the port',
    'target',
    /PermitOpen/,
    async (rig) => await ofSshd(rig, [`PermitOpen localhost:${await freePort()}`], await app(rig)),
  ],
  [
    'AllowStreamLocalForwarding no',
    'target',
    /permits ports, but no sockets.*AllowStreamLocalForwarding/s,
    async (rig) => {
      const path = join(rig.dir, 'app.sock');
      await rig.serve(closesFirst(''), { path });
      return await ofSshd(rig, ['AllowStreamLocalForwarding no'], path);
    },
  ],
  [
    'a target port that nothing listens on',
    'target',
    /nothing listens there/,
    async (rig) => await ofSshd(rig, [], `auto:${await freePort()}`),
  ],
  [
    'a socket that is not there',
    'target',
    /no such socket/,
    async (rig) => await ofSshd(rig, [], join(rig.dir, 'missing.sock')),
  ],
  [
    'a regular file in the place of a socket',
    'target',
    /it is a regular file, not a socket/,
    async (rig) => {
      const path = join(rig.dir, 'file.sock');
      writeFileSync(path, '');
      return await ofSshd(rig, [], path);
    },
  ],
  [
    'a socket that its server left',
    'target',
    /nothing listens on it/,
    async (rig) => {
      const path = join(rig.dir, 'stale.sock');
      await makeStale(path);
      return await ofSshd(rig, [], path);
    },
  ],
  [
    'a port there that is taken, for -R',
    'remote-listen',
    /listen/,
    async (rig) => {
      const { port } = await rig.serve(silent);
      return [...(await ofSshd(rig, [])), '-R', `127.0.0.1:${port}:localhost:80`];
    },
  ],
];

for (const [group, cases] of Object.entries({ configuration, ways, logins, forwarding })) {
  suite(
    `doctor names the cause first: ${group}`,
    { skip: skipWithout('sshd', 'ssh'), concurrency: 2 },
    () => {
      for (const [name, step, named, make] of cases) {
        test(name, async (t) => {
          const rig = await startRig(t);
          const args = await make(rig);
          const { ok, findings } = await doctor(rig, args);
          assert.equal(ok, false);
          const first = findings.find(({ verdict }) => verdict === 'failed');
          assert.ok(first);
          assert.equal(first.step, step, JSON.stringify(findings, undefined, 1));
          assert.match([first.what, ...first.hint].join('\n'), named);
          assert.ok(first.hint.length > 0 || first.what.length > 40, 'there is something to do');
        });
      }
    },
  );
}

test('doctor names a socket that another user keeps', async (t) => {
  if (!needs(t, 'sshd', 'gunicorn', 'root')) return;
  const rig = await startRig(t);
  const [deploy, other] = [await rig.user(), await rig.user()];
  const sshd = await rig.sshd({ user: deploy });
  const gunicorn = await rig.gunicorn({ user: other });
  const { findings } = await doctor(rig, [...sshd.client.flags, 'vps', gunicorn.socket ?? '']);
  const first = findings.find(({ verdict }) => verdict === 'failed');
  assert.equal(first?.step, 'target');
  assert.match([first?.what, ...(first?.hint ?? [])].join('\n'), /permission denied.*srwxrwx---/s);
});

test('doctor only warns of a list of permitted ports that has what is asked for, whatever carries the connection', async (t) => {
  if (!needs(t, 'sshd', 'ssh')) return;
  const rig = await startRig(t);
  const { port } = await rig.serve(closesFirst('hello'));
  const sshd = await rig.sshd({ config: [`PermitOpen localhost:${port}`] });
  for (const transport of ['ssh2', 'openssh']) {
    const flags = [...sshd.client.flags, '--transport', transport];
    const { ok, findings } = await doctor(rig, [...flags, 'vps', `auto:${port}`]);
    assert.ok(ok, JSON.stringify(findings, undefined, 1));
    const tcp = findings.find(({ step }) => step === 'tcp-forwarding');
    assert.equal(tcp?.verdict, 'warning');
    assert.match(tcp?.what ?? '', /listed ones only.*works/);
  }
});

test('doctor names packets that are too large for the way', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const way = await rig.own(serve((socket) => narrow(socket, sshd.port)));
  const client = sshd.writeClient({ name: 'narrow', port: way.port });
  const { findings } = await doctor(rig, [...client.flags, 'narrow']);
  const first = findings.find(({ verdict }) => verdict === 'failed');
  assert.equal(first?.step, 'transfer', JSON.stringify(findings));
  assert.match([first?.what, ...(first?.hint ?? [])].join('\n'), /stalls.*MTU/s);
});

/** Passes on what comes in small pieces, and nothing more once a large one has come. */
function narrow(socket: Socket, port: number): void {
  const server = connect(port, '127.0.0.1');
  let lost = false;
  for (const [from, to] of [
    [socket, server],
    [server, socket],
  ] as const) {
    from.on('error', () => undefined);
    from.on('close', () => to.destroy());
    from.on('data', (data: Buffer) => {
      lost ||= data.length > 16_000;
      if (!lost) to.write(data);
    });
  }
}

test('doctor warns of a clock that is wrong', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const { publicKey, file } = await makeKey(join(rig.folder('keys'), 'id'));
  const bin = rig.folder('bin');
  writeFileSync(join(bin, 'date'), '#!/bin/sh\necho 1000000000\n', { mode: 0o755 });
  const path = process.env['PATH'];
  process.env['PATH'] = `${bin}:${path}`;
  t.after(() => {
    process.env['PATH'] = path;
  });
  const server = await rig.own(startEmbeddedSshd({ publicKey, home: rig.dir }));
  const client = writeSshClient(rig.dir, {
    hostname: '127.0.0.1',
    port: server.port,
    user: 'deploy',
    identity: { publicKey, file } as Awaited<ReturnType<typeof makeKey>>,
    hostKeys: [{ publicKey: server.hostKey, file: '' } as Awaited<ReturnType<typeof makeKey>>],
  });
  const { ok, findings } = await doctor(rig, [...client.flags, 'vps']);
  assert.ok(ok, JSON.stringify(findings, undefined, 1));
  const clock = findings.find(({ step }) => step === 'clock');
  assert.equal(clock?.verdict, 'warning');
  assert.match(clock?.what ?? '', /\d+ s behind/);
});

test('doctor finds nothing wrong with a host that is well, and what it shows fits a terminal', async (t) => {
  if (!needs(t, 'sshd', 'gunicorn')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const gunicorn = await rig.gunicorn({ dir: join(sshd.home, 'app') });
  const specs = [await app(rig), '~/app/app.sock'];
  const { ok, findings } = await doctor(rig, [...sshd.client.flags, 'vps', ...specs]);
  assert.ok(ok, JSON.stringify(findings, undefined, 1));
  const steps = new Set(findings.map(({ step }) => step));
  for (const step of [
    'configuration',
    'directory',
    'listen',
    'agent',
    'key',
    'resolve',
    'address',
    'banner',
    'host-key',
    'login',
    'target',
    'tcp-forwarding',
    'socket-forwarding',
    'round-trip',
    'transfer',
    'clock',
  ]) {
    assert.ok(steps.has(step), step);
  }
  assert.ok(findings.every(({ ms }) => ms >= 0));
  assert.ok(gunicorn.socket?.endsWith('app.sock'));

  const shown = await rig.run([process.execPath, binary, 'doctor', ...sshd.client.flags, 'vps', ...specs]);
  assert.equal(shown.status, 0, shown.stderr);
  assert.match(shown.stdout, /^✔ Logged in as .*\(\d+ ms\)$/m);
  assert.doesNotMatch(shown.stdout, /✖/);
});

test('doctor without a host looks at the installation', async (t) => {
  const rig = await startRig(t);
  const { ok, findings } = await doctor(rig, []);
  assert.ok(ok, JSON.stringify(findings));
  const steps = new Set(findings.map(({ step }) => step));
  for (const step of ['node', 'ssh2', 'openssh', 'directory', 'leftovers']) assert.ok(steps.has(step), step);

  await makeStale(join(rig.env['TUNNEL_RUNTIME_DIR'] ?? '', 'old.sock'));
  mkdirSync(join(rig.dir, 'empty'));
  const poor = await doctor(rig, [], { env: { ...rig.env, PATH: join(rig.dir, 'empty') } });
  const warned = poor.findings.filter(({ verdict }) => verdict === 'warning').map(({ step }) => step);
  assert.deepEqual(warned, ['openssh', 'leftovers']);
  assert.ok(poor.ok, 'a warning is no failure');

  chmodSync(rig.env['TUNNEL_RUNTIME_DIR'] ?? '', 0o777);
  assert.equal((await doctor(rig, [])).ok, false);
});
