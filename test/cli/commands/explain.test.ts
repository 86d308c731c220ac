import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { parseArguments } from '../../../src/cli/arguments.ts';
import { explain } from '../../../src/cli/commands/explain.ts';
import { UsageError } from '../../../src/errors.ts';
import { skip, write } from '../../config/config-files.ts';
import { startServer } from '../../rig/processes.ts';
import { needs } from '../../rig/requirements.ts';
import { startRig } from '../../rig/rig.ts';
import { Recorder } from '../output/fakes.ts';

async function run(args: readonly string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const command = await parseArguments(args);
  assert.ok(command.name === 'explain');
  const [stdout, stderr] = [new Recorder(), new Recorder()];
  const status = await explain(command, { stdout, stderr });
  return { status, stdout: stdout.text, stderr: stderr.text };
}

interface Document {
  readonly transport: { readonly name: string; readonly reason: string };
  readonly identityFiles: readonly object[];
  readonly forwards: readonly object[];
  readonly jumpHosts: readonly object[];
  readonly options: readonly {
    readonly name: string;
    readonly honouredBy: readonly string[];
    readonly status: string;
  }[];
  readonly warnings: readonly string[];
}

async function document(args: readonly string[]): Promise<Document> {
  const { stdout, stderr } = await run(['explain', '--json', ...args]);
  assert.equal(stderr, '');
  return JSON.parse(stdout) as Document;
}

const CONFIG = `Host vps
  HostName vps.example.org
  User deploy
  Port 2200
  ProxyJump bastion,inner
  IdentityFile DIR/work
  IdentityFile DIR/missing
  IdentitiesOnly yes
  IdentityAgent DIR/agent
  UserKnownHostsFile DIR/known_hosts
  GlobalKnownHostsFile none
  LocalForward 8081 db.internal:80
  LocalForward 5000 /run/app.sock
  RemoteForward 9000 localhost:3000
  DynamicForward 1080
  ForwardAgent yes
  IPQoS throughput
  SetEnv TOKEN=hunter2
Host bastion
  HostName 192.0.2.1
  User jump
  ProxyJump outer
Host inner
  ProxyJump elsewhere
`;

/** Gives the flags that name the configuration, and the folder it is in. */
function configured(config: string): { flags: string[]; dir: string } {
  const configFile = write({ config, work: '', known_hosts: '' });
  return { flags: ['-F', configFile], dir: join(configFile, '..') };
}

suite('tunnel explain', { skip }, () => {
  test('shows the way to the host, the keys, the files and the forwards', async () => {
    const { flags, dir } = configured(CONFIG);
    const { status, stdout, stderr } = await run(['explain', 'vps', ...flags]);
    assert.equal(status, 0);
    assert.equal(stderr, '');
    const [user] = /(?<=inner {2})\S+(?=@)/.exec(stdout) ?? [];
    const [summary = '', values = '', options = ''] = stdout.split(/\n\n {2}(?:Option|Setting)/);
    assert.equal(
      summary,
      `vps  deploy@vps.example.org:2200

Transport       ssh2: nothing here needs the ssh program
Jump hosts      bastion  jump@192.0.2.1:22 through outer
                inner  ${user}@inner:22
Identity files  ${dir}/work
                ${dir}/missing (does not exist)
Agent           ${dir}/agent, for the identity files alone (IdentitiesOnly)
Known hosts     ${dir}/known_hosts
Forwards        port 8081 here → db.internal:80 there
                port 5000 here → /run/app.sock there
                port 9000 there → localhost:3000 here
                port 1080 here → anywhere from there (SOCKS)
If one fails    what is typed: nothing is opened; a line of the configuration: a warning (ExitOnForwardFailure no)`,
    );
    assert.match(values, /^ {2}forward +8081:db\.internal:80 +ssh_config$/m);
    assert.match(values, /^ {2}port +2200 +ssh_config$/m);
    assert.match(values, /^ {2}hold +15s +default$/m);
    assert.match(options, /^ {2}User +deploy +ssh2, openssh$/m);
    assert.match(options, /^ {2}ForwardAgent +yes +- +not needed: .+$/m);
    assert.match(options, /^! IPQoS +throughput throughput +openssh +not honoured: .+ --transport openssh$/m);
  });

  test('--json is one document with the same', async () => {
    const { flags, dir } = configured(CONFIG);
    const { identityFiles, forwards, jumpHosts, options, warnings } = await document(['vps', ...flags]);
    assert.deepEqual(identityFiles, [
      { path: join(dir, 'work'), explicit: true, exists: true },
      { path: join(dir, 'missing'), explicit: true, exists: false },
    ]);
    assert.deepEqual(forwards, [
      { kind: 'local', listen: '8081', connect: 'db.internal:80' },
      { kind: 'local', listen: '5000', connect: '/run/app.sock' },
      { kind: 'remote', listen: '9000', connect: 'localhost:3000' },
      { kind: 'dynamic', listen: '1080' },
    ]);
    assert.deepEqual(jumpHosts[0], { host: 'bastion', user: 'jump', hostname: '192.0.2.1', port: 22 });
    const status = (name: string) => options.find((option) => option.name === name)?.status;
    assert.equal(status('ProxyJump'), 'honoured');
    assert.equal(status('ForwardAgent'), 'not-needed');
    assert.equal(status('IPQoS'), 'not-honoured');
    assert.deepEqual(
      warnings.map((line) => line.split(' ')[0]),
      ['IPQoS'],
    );
  });

  test('says of what is honoured what it does not do', async () => {
    const { flags } = configured(CONFIG);
    const options = ['-o', 'StrictHostKeyChecking=off', '-o', 'ExitOnForwardFailure=yes'];
    const { stdout } = await run(['explain', 'vps', ...options, ...flags]);
    assert.match(stdout, /StrictHostKeyChecking .*; one that has changed is refused all the same$/m);
    assert.match(stdout, /ExitOnForwardFailure .* what is typed is all opened or nothing is; .+$/m);
    assert.match(stdout, /^If one fails +nothing is opened \(ExitOnForwardFailure\)$/m);
    const { stdout: accepting } = await run([
      'explain',
      'vps',
      '-o',
      'StrictHostKeyChecking=accept-new',
      ...flags,
    ]);
    assert.doesNotMatch(accepting, /refused all the same/);
  });

  test('what ssh says of its own doings is no warning', async () => {
    const { flags } = configured(CONFIG);
    const { stderr } = await run(['explain', 'vps', '-o', 'LogLevel=DEBUG3', ...flags]);
    assert.equal(stderr, '');
  });

  test('what SetEnv holds is not printed', async () => {
    const { flags } = configured(CONFIG);
    for (const args of [['vps'], ['vps', '--json']]) {
      const { stdout } = await run(['explain', ...args, ...flags]);
      assert.match(stdout, /TOKEN=…/);
      assert.doesNotMatch(stdout, /hunter2/);
    }
  });

  test('typed forwards take the place of configured ones, and ssh flags count', async () => {
    const { flags } = configured(CONFIG);
    const typed = await document(['vps', '3000:/srv/app.sock', '-D1080', '-g', ...flags]);
    assert.deepEqual(typed.forwards, [
      { kind: 'local', listen: '*:3000', connect: '/srv/app.sock' },
      { kind: 'dynamic', listen: '*:1080' },
    ]);
    const cleared = await document(['vps', '3000', '-oClearAllForwardings=yes', ...flags]);
    assert.deepEqual(cleared.forwards, []);
  });

  test('lines that ssh skips are warned about', async () => {
    const { flags } = configured('Host vps\n  RSAAuthentication yes\n');
    assert.match((await run(['explain', 'vps', ...flags])).stderr, /^! .*rsaauthentication.*$/im);
    assert.match((await document(['vps', ...flags])).warnings.join('\n'), /rsaauthentication/i);
  });

  test('a configuration that cannot be used is refused with status 2', async () => {
    const { flags } = configured('Host vps\n  Port many\n');
    await assert.rejects(run(['explain', 'vps', ...flags]), (error) => {
      return error instanceof UsageError && error.exitStatus === 2 && error.code === 'ssh-config';
    });
  });

  test('nothing is connected to', async (t) => {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const { flags } = configured(
      `Host *\n  HostName 127.0.0.1\n  Port ${port}\nHost vps\n  ProxyJump hop\n  LocalForward ${port} a:1\n`,
    );
    assert.equal((await run(['explain', 'vps', ...flags])).status, 0);
    assert.equal(connections, 0);
  });
});

suite('the transport that is explained', { skip }, () => {
  const transportOf = async (
    args: readonly string[],
    config = 'Host vps\n',
  ): Promise<Document['transport']> =>
    (await document(['vps', ...args, ...configured(`${config}  IdentityFile DIR/none\n`).flags])).transport;

  test('is the one that is asked for', async () => {
    for (const name of ['ssh2', 'openssh']) {
      assert.deepEqual(await transportOf(['--transport', name]), {
        name,
        reason: `--transport ${name} asks for it`,
      });
    }
  });

  test('is the ssh program, with the reason, when ssh2 cannot do what is configured', async () => {
    const transport = await transportOf([], 'Host vps\n  RevokedHostKeys /etc/ssh/revoked\n');
    assert.equal(transport.name, 'openssh');
    assert.match(transport.reason, /RevokedHostKeys/);
  });

  test('is the ssh program when a master of it is logged in, which goes on', async (t) => {
    if (!needs(t, 'sshd')) return;
    const rig = await startRig(t);
    const sshd = await rig.sshd();
    const path = join(rig.dir, 'master');
    const client = sshd.writeClient({ config: [`ControlPath ${path}`] });
    const isAlive = async () =>
      (await rig.run(['ssh', ...client.flags, '-O', 'check', client.name])).status === 0;
    await rig.own(
      startServer({
        command: ['ssh', ...client.flags, '-M', '-N', client.name],
        cwd: rig.dir,
        env: rig.env,
        ready: isAlive,
        stopSignal: 'SIGKILL',
      }),
    );
    const { transport, options } = await document([client.name, ...client.flags]);
    assert.equal(transport.name, 'openssh');
    assert.ok(transport.reason.includes(path), transport.reason);
    assert.equal(options.find(({ name }) => name === 'ControlPath')?.status, 'honoured');
    assert.ok(await isAlive());
  });
});

suite('the word "explain"', () => {
  test('is the command when it comes first, whatever flags are before it', async () => {
    for (const line of ['explain vps', '-F config explain vps', '--json explain vps', 'explain 8081 vps']) {
      const command = await parseArguments(line.split(' '));
      assert.ok(command.name === 'explain', line);
      assert.deepEqual(command.destination, { host: 'vps' });
    }
  });

  test('is a host after -- or after a port', async () => {
    for (const line of ['-- explain 8081', '8081 explain', '-l explain -- explain 8081']) {
      const command = await parseArguments(line.split(' '));
      assert.ok(command.name === 'open', line);
      assert.deepEqual(command.destination, { host: 'explain' });
    }
  });

  test('is not the command as the value of a flag', async () => {
    for (const line of ['-l explain vps 8081', '-i explain vps 8081']) {
      assert.equal((await parseArguments(line.split(' '))).name, 'open', line);
    }
  });

  test('without a host after it says how to name one, and how to mean a host of that name', async () => {
    for (const line of ['explain', 'explain 8081']) {
      await assert.rejects(
        parseArguments(line.split(' ')),
        (error) =>
          error instanceof UsageError &&
          error.hint.some((hint) => hint.includes('tunnel explain HOST 8081')) &&
          error.hint.some((hint) => hint.includes('tunnel -- explain 8081')),
      );
    }
  });
});
