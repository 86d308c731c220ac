import { execFileSync } from 'node:child_process';
import { accessSync, appendFileSync, closeSync, constants, openSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { delimiter, join } from 'node:path';
import { createRequire } from 'node:module';
import type { TestContext } from 'node:test';
import { hasNativeCrypto } from '../../src/ssh/ssh2/native.ts';
import { serverEnv } from './env.ts';

/** What stands in the way, in words that say what to install; undefined when nothing does. */
type Probe = () => string | undefined;

const probes = {
  ssh: () => command('ssh', 'OpenSSH (openssh-client)'),
  sshd: () => command('sshd', 'OpenSSH (openssh-server)') ?? command('ssh', 'OpenSSH (openssh-client)'),
  dropbear: () => command('dropbear', 'Dropbear (dropbear-bin)'),
  gunicorn: () => command('gunicorn', 'Gunicorn (gunicorn)') ?? pythonModules(),
  caddy: () => command('caddy', 'Caddy (caddy)'),
  python: () => command('python3', 'Python (python3)'),
  chromium: () => command('chromium', 'Chromium (chromium)'),
  curl: () => command('curl', 'curl (curl)'),
  tcsh: () => command('tcsh', 'a C shell (tcsh)'),
  fish: () => command('fish', 'fish (fish)'),
  zsh: () => command('zsh', 'zsh (zsh)'),
  man: () => command('man', 'man (man-db)'),
  lsof: () => command('lsof', 'lsof (lsof)'),
  ss: () => command('ss', 'iproute2 (iproute2)'),
  'systemd-analyze': () => command('systemd-analyze', 'systemd (systemd)'),
  nc: () => command('nc', "OpenBSD's nc (netcat-openbsd)"),
  'native ssh2': () =>
    hasNativeCrypto() ? undefined : 'the native part of ssh2 (g++, make, python3; then npm rebuild ssh2)',
  root: notRoot,
  linux: () => (process.platform === 'linux' ? undefined : 'Linux'),
  netns: () => notRoot() ?? command('unshare', 'Linux namespaces (util-linux)') ?? command('ip', 'iproute2'),
  wireguard: () => notRoot() ?? noTun() ?? command('ip', 'iproute2') ?? wireguardTools(),
  ipv6: () => (hasIpv6() ? undefined : 'the IPv6 loopback address ::1'),
  pty: () => (ptyLoads() ? undefined : '@lydell/node-pty for this platform'),
} satisfies Record<string, Probe>;

export type Requirement = keyof typeof probes;

const found = new Map<Requirement, string | undefined>();

/**
 * Whether the test can run here. Where it cannot, it is skipped with the reason, and the caller returns; under CI it
 * fails instead, since a test that is skipped there is skipped everywhere.
 *
 *     if (!needs(t, 'sshd', 'root')) return;
 */
export function needs(t: TestContext, ...requirements: readonly Requirement[]): boolean {
  const skip = skipWithout(...requirements);
  if (skip !== false) t.skip(skip);
  return skip === false;
}

/** The same for the `skip` option of node:test, where a whole suite or table of tests needs it. */
export function skipWithout(...requirements: readonly Requirement[]): string | false {
  const missing = requirements.map(probe).filter((reason) => reason !== undefined);
  if (missing.length === 0) return false;
  const reason = [...new Set(missing)].join(', ');
  if (process.env['CI'] === 'true') throw new Error(`CI must have ${reason}`);
  const report = process.env['TUNNEL_TEST_SKIPPED'];
  if (report) appendFileSync(report, `${reason}\n`);
  return `needs ${reason}`;
}

export function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => address === '::1'),
  );
}

function probe(requirement: Requirement): string | undefined {
  if (!found.has(requirement)) found.set(requirement, probes[requirement]());
  return found.get(requirement);
}

function notRoot(): string | undefined {
  return process.getuid?.() === 0 ? undefined : 'root';
}

function wireguardTools(): string | undefined {
  const go = command('wireguard-go', 'WireGuard (wireguard-go)');
  return go ?? command('wg', 'WireGuard (wireguard-tools)');
}

/** In a container the device may be there and not be permitted. */
function noTun(): string | undefined {
  try {
    closeSync(openSync('/dev/net/tun', 'r+'));
    return undefined;
  } catch {
    return 'the device /dev/net/tun';
  }
}

function command(name: string, title: string): string | undefined {
  return find(name) === undefined ? title : undefined;
}

/** The absolute path of a program: sshd insists on being started by one. */
export function find(name: string): string | undefined {
  const folders = serverEnv('/')['PATH']?.split(delimiter) ?? [];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Looks with Gunicorn's own interpreter: there may be another `python3` in the PATH. */
function pythonModules(): string | undefined {
  const script = readFileSync(find('gunicorn') ?? '', 'utf8');
  const interpreter = /^#!\s*(\S+)/.exec(script)?.[1] ?? 'python3';
  const look =
    'import sys; from importlib.util import find_spec; sys.exit(not (find_spec("flask") and find_spec("pandas")))';
  try {
    execFileSync(interpreter, ['-c', look], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'Flask and pandas (python3-flask, python3-pandas)';
  }
}

function ptyLoads(): boolean {
  try {
    createRequire(import.meta.url)('@lydell/node-pty');
    return true;
  } catch {
    return false;
  }
}
