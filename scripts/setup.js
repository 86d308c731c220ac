// Everything a fresh clone needs. It is imported before anything is installed: Node.js alone must be able to run it.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { mustRun, root, run } from './run.js';

const serverPackages = [
  'openssh-server',
  'openssh-client',
  'dropbear-bin',
  'gunicorn',
  'python3-flask',
  'python3-pandas',
  'caddy',
  'chromium',
  'netcat-openbsd',
  'curl',
  'lsof',
  'iproute2',
  'tcsh',
  'fish',
  'procps',
  'systemd',
  'wireguard-go',
  'wireguard-tools',
  'zsh',
  'man-db',
];

/**
 * Runs `npm ci` unless node_modules is as new as the lock file, with the packages of development. Under `npm pack
 * --dry-run` npm hands its own settings on, and NODE_ENV=production leaves those packages out; neither is meant here.
 */
export async function ensurePackages() {
  const installed = modified('node_modules/.package-lock.json');
  const isComplete = modified('node_modules/esbuild') !== undefined;
  if (installed === undefined || installed < modified('package-lock.json') || !isComplete) {
    await mustRun('npm', ['ci', '--include=dev', '--dry-run=false']);
  }
}

/**
 * Installs the real servers that the tests talk to, and `more`, where that can be done unasked, else says what to
 * install.
 */
export async function ensureServers(more = []) {
  if (!existsSync('/etc/debian_version')) {
    console.log(
      'Tests are skipped whose servers are not here: OpenSSH, Gunicorn with Flask and pandas, Caddy, Chromium, WireGuard, curl, lsof, nc, zsh, fish, tcsh, man.',
    );
    return;
  }
  const missing = [...serverPackages, ...more].filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  if (process.getuid() !== 0) {
    console.log(`Tests that need a real server are skipped. Not root, so please install it yourself:`);
    console.log(`  sudo apt-get install --no-install-recommends ${missing.join(' ')}`);
    return;
  }
  await installQuietly(missing);
}

/** Without questions, and without starting the services that come with the packages. */
async function installQuietly(names) {
  // The policy of Debian's invoke-rc.d: 101 forbids every start. Somebody else's policy is left as it is.
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) {
    writeFileSync(policy, '#!/bin/sh\nexit 101\n');
    chmodSync(policy, 0o755);
  }
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  try {
    const failed =
      (await run('apt-get', ['update'], env)) ||
      (await run('apt-get', ['install', '-y', '--no-install-recommends', ...names], env));
    if (failed) console.error(`✖ Not installed: ${names.join(' ')}. Tests that need it are skipped.`);
  } finally {
    if (ours) rmSync(policy);
  }
}

function isInstalled(name) {
  try {
    const query = ['-W', '-f', '${db:Status-Status}', name];
    return execFileSync('dpkg-query', query, { stdio: 'pipe', encoding: 'utf8' }) === 'installed';
  } catch {
    return false;
  }
}

function modified(file) {
  return statSync(join(root, file), { throwIfNoEntry: false })?.mtimeMs;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  // For who installs them otherwise.
  if (argv.includes('--list')) console.log(serverPackages.join(' '));
  else {
    await ensurePackages();
    await ensureServers();
  }
}
