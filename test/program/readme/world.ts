import { chownSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Machine } from '../../rig/machine.ts';
import { needs } from '../../rig/requirements.ts';
import { startRig, type Rig } from '../../rig/rig.ts';
import type { RunResult } from '../../rig/run.ts';
import type { Sshd } from '../../rig/sshd.ts';
import type { Terminal } from '../../rig/terminal.ts';
import { binary } from '../../rig/tunnel.ts';
import type { TestUser } from '../../rig/users.ts';
import { until } from '../../rig/until.ts';
import type { WireguardNet } from '../../rig/wireguard.ts';

/**
 * The machines of the README: a person's, where every port is free, and `vps`, where Caddy has 8081, Gunicorn 5000 and
 * `~/app/app.sock`, and `db.internal` is known. A VPN joins them, in which the vps is 10.0.0.1.
 */
export interface World {
  readonly rig: Rig;
  /** Where the person works. */
  readonly project: string;
  /** Files of the person's, by their path from the home. */
  readonly read: (path: string) => string;
  readonly write: (path: string, text: string) => void;
  /** The person types a line in a terminal, in the project. */
  readonly type: (line: string) => Promise<Terminal>;
  /** Runs a command on the person's machine, as the person. */
  readonly run: (...command: readonly string[]) => Promise<RunResult>;
  /** What runs such a command: for `rig.start`. */
  readonly command: (command: readonly string[]) => readonly string[];
  /** Runs a command on the vps. */
  readonly there: (...command: readonly string[]) => Promise<RunResult>;
  /** Waits until a URL, of the person's machine, gives such a page; more arguments are curl's. */
  readonly answers: (url: string, page: RegExp, ...flags: readonly string[]) => Promise<void>;
}

/** Undefined, with the test skipped, where something of it is missing. */
export async function startWorld(t: TestContext): Promise<World | undefined> {
  if (!needs(t, 'wireguard', 'sshd', 'gunicorn', 'caddy', 'curl', 'pty')) return undefined;
  const rig = await startRig(t);
  const net = await rig.wireguard({ addresses: ['10.0.0.2', '10.0.0.1'] });
  await nameInterface(net);
  const there = await startVps(rig, net.far);
  const user = await rig.user();
  const at = (path: string): string => join(user.home, path);
  const prefix = [...net.near.prefix, ...user.prefix];
  const env = {
    PATH: `${writePrograms(rig)}:${rig.env['PATH']}`,
    LANG: 'C.UTF-8',
    HOME: user.home,
    SHELL: '/bin/bash',
    EDITOR: 'editor',
    BROWSER: 'browser',
    XDG_RUNTIME_DIR: at('run'),
  };
  const write = (path: string, text: string): void => {
    writeFileSync(at(path), text, { mode: 0o600 });
    chownSync(at(path), user.uid, user.gid);
  };
  for (const folder of ['run', '.ssh', 'project', 'project/webroot']) {
    mkdirSync(at(folder), { mode: 0o700 });
    chownSync(at(folder), user.uid, user.gid);
  }
  write('.ssh/config', sshConfig(net.far.publicAddress));
  write('.ssh/known_hosts', knownHosts(there.sshd, net.far.publicAddress));
  write('.ssh/work', readFileSync(there.sshd.identity.file, 'utf8'));
  write('project/webroot/index.html', '<title>Files of this machine</title>\n');
  write('project/Caddyfile', readFileSync(there.caddyfile, 'utf8'));
  const run = (...command: readonly string[]): Promise<RunResult> =>
    rig.run([...prefix, ...command], { env, cwd: at('project') });
  return {
    rig,
    project: at('project'),
    read: (path) => readFileSync(at(path), 'utf8'),
    write,
    type: (line) => rig.terminal([], { command: [...prefix, 'bash', '-c', line], env, cwd: at('project') }),
    run,
    command: (command) => [...prefix, ...command],
    there: (...command) => rig.run([...there.on.prefix, ...command]),
    async answers(url, page, ...flags) {
      await until(`${url} gives ${page}`, async () =>
        page.test((await run('curl', '-s', '--max-time', '10', ...flags, url)).stdout),
      );
    },
  };
}

/** Serves such a page, on every address. */
export function appSaying(page: string, port: number): string[] {
  const script = `require('node:http').createServer((_, response) => response.end('${page}')).listen(${port})`;
  return [process.execPath, '-e', script];
}

/** The rig's own name for it is one that no other test has; in a namespace there may be another `wg0`. */
async function nameInterface({ near }: WireguardNet): Promise<void> {
  await near.ip('link', 'set', near.interface, 'down');
  await near.ip('link', 'set', near.interface, 'name', 'wg0');
  await near.ip('link', 'set', 'wg0', 'up');
}

interface Vps {
  readonly on: Machine;
  readonly sshd: Sshd;
  readonly caddyfile: string;
}

async function startVps(rig: Rig, far: Machine & WireguardNet['far']): Promise<Vps> {
  const user = await rig.user();
  const srv = rig.folder('srv');
  const on = { ...far, prefix: [...far.prefix, ...withFiles(rig, srv, user)] };
  const sshd = await rig.sshd({
    on,
    relay: false,
    user,
    listenAddress: '0.0.0.0',
    port: 22,
    config: ['Port 2222'],
  });
  const app = await rig.gunicorn({ on, user, dir: join(user.home, 'app') });
  symlinkSync(app.dir, join(user.home, 'api'));
  symlinkSync(app.dir, join(srv, 'app'));
  await rig.gunicorn({ on, user, bind: '127.0.0.1:5000', name: 'five thousand' });
  const bind = ['127.0.0.1', far.vpnAddress];
  const caddy = await rig.caddy({ on, dir: app.dir, port: 8081, bind, adminAddress: 'localhost:2019' });
  await rig.start([...on.prefix, ...appSaying('from the database', 5432)]);
  return { on, sshd, caddyfile: caddy.caddyfile };
}

/** What comes before a command that sees the names, the account and the /srv of the vps. */
function withFiles(rig: Rig, srv: string, user: TestUser): string[] {
  const etc = rig.folder('etc');
  const names = '127.0.0.1 localhost web.internal\n127.0.0.2 db.internal\n192.0.2.2 vps.example.org\n';
  writeFileSync(join(etc, 'hosts'), names);
  const accounts = {
    passwd: `deploy:x:${user.uid}:${user.gid}::${user.home}:/bin/sh\n`,
    shadow: 'deploy:*:19000:0:99999:7:::\n',
  };
  for (const [name, line] of Object.entries(accounts)) {
    writeFileSync(join(etc, name), line + readFileSync(`/etc/${name}`, 'utf8'));
  }
  // Not a file over each: those go when useradd of another test replaces what is below them.
  const mounts = `mount -t overlay vps -o lowerdir=${etc}:/etc /etc && mount --bind ${srv} /srv`;
  return ['sh', '-c', `${mounts} && exec "$@"`, 'vps'];
}

function sshConfig(address: string): string {
  const host = (names: string): string =>
    `Host ${names}\n  HostName ${address}\n  User deploy\n  IdentityFile ~/.ssh/work\n\n`;
  return `${host('vps')}${host('bastion')}${host('db')}`;
}

function knownHosts({ hostKeys }: Sshd, address: string): string {
  return [address, 'vps.example.org', '[vps.example.org]:2222']
    .flatMap((name) => hostKeys.map(({ publicKey }) => `${name} ${publicKey}\n`))
    .join('');
}

/** `tunnel`, and stand-ins for what a person has: they write down what they are asked. */
function writePrograms(rig: Rig): string {
  const bin = rig.folder('bin');
  symlinkSync(binary, join(bin, 'tunnel'));
  const programs = {
    // There is no systemd of a user in a test.
    systemctl: 'echo "systemctl $@" | tee -a ~/systemctl.log',
    browser: 'echo "$1" > ~/browser.log',
    editor: 'sed -i "s/8081/5000/" "$1"',
    psql: 'test "$1" = -h && curl -s "http://$2:5432/"',
  };
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return bin;
}
