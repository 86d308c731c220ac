// An SSH server with two apps behind it, and `tunnel` opening both, as a person would type it.
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, ListenOptions } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shellWord } from '../src/shell-word.ts';
import { startEmbeddedSshd } from '../test/rig/embedded-sshd.ts';
import { generateKeys } from '../test/rig/generate-keys.ts';
import { onDeath } from '../test/rig/last-resort.ts';
import { startTunnel } from '../test/rig/tunnel.ts';

const onceOnly = process.argv.includes('--once');
const home = mkdtempSync(join(tmpdir(), 'tunnel-demo-'));
const stops: (() => Promise<unknown> | void)[] = [];
// Ctrl-C ends the process without what follows below, and there is a private key in it.
onDeath(() => rmSync(home, { recursive: true, force: true }));

try {
  await demonstrate();
} finally {
  for (const stop of stops.toReversed()) await stop();
}

async function demonstrate(): Promise<void> {
  mkdirSync(join(home, 'app'));
  await serve('the app on a Unix socket', { path: join(home, 'app/app.sock') });
  const page = await serve('the app on a port', { host: '127.0.0.1', port: 0 });
  const port = (page.address() as AddressInfo).port;
  const config = await startSshServer();

  console.log('An SSH server runs here, with one app on a port and one on ~/app/app.sock. Now type:\n');
  const specs = [`auto:${port}`, '~/app/app.sock'];
  console.log(`  $ tunnel vps ${specs.map(shellWord).join(' ')}\n`);
  const tunnel = await startTunnel(['-F', config, 'vps', ...specs], { env: environment() });
  stops.push(() => tunnel.stop());
  await tunnel.waitFor(/(http:.*\n[^]*){2}/);
  console.log(indent(tunnel.stderr + tunnel.stdout));

  const urls = tunnel.stdout.match(/http:\/\/\S+/g) ?? [];
  for (const url of urls) {
    const response = await fetch(url);
    console.log(`  $ curl ${url}\n${indent(await response.text())}`);
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  }
  if (urls.length !== specs.length) throw new Error(`Not every forward has a URL:\n${tunnel.stdout}`);
  if (onceOnly) return;

  console.log('Open them in a browser. Ctrl-C ends everything.');
  await tunnel.exit;
  throw new Error(`tunnel has ended:\n${tunnel.stderr}`);
}

async function serve(name: string, listen: ListenOptions): Promise<Server> {
  const server = createServer((request, response) => {
    response.end(`Hello from ${name}: ${request.method} ${request.url}\n`);
  });
  server.listen(listen);
  await once(server, 'listening');
  stops.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return server;
}

/** Gives the ssh_config in which `vps` is the server. Its fresh host key is in known_hosts, where it is checked. */
async function startSshServer(): Promise<string> {
  const identity = generateKeys();
  const sshd = await startEmbeddedSshd({ publicKey: identity.public, home });
  stops.push(() => sshd.stop());
  const [config, key, knownHosts] = ['config', 'id_ed25519', 'known_hosts'].map((name) => join(home, name));
  writeFileSync(String(key), identity.private, { mode: 0o600 });
  writeFileSync(String(knownHosts), `[${sshd.host}]:${sshd.port} ${sshd.hostKey}\n`);
  const lines = [
    'Host vps',
    `  HostName ${sshd.host}`,
    `  Port ${sshd.port}`,
    '  User deploy',
    `  IdentityFile ${key}`,
    '  IdentitiesOnly yes',
    `  UserKnownHostsFile ${knownHosts}`,
  ];
  writeFileSync(String(config), `${lines.join('\n')}\n`);
  return String(config);
}

/** Nothing of the person's own: the demo must do the same everywhere. */
function environment(): NodeJS.ProcessEnv {
  const place = (name: string): string => join(home, name);
  return {
    PATH: process.env['PATH'],
    HOME: home,
    TUNNEL_CONFIG_DIR: place('config.d'),
    TUNNEL_STATE_DIR: place('state'),
    TUNNEL_RUNTIME_DIR: place('run'),
  };
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}
