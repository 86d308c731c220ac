import assert from 'node:assert/strict';
import { appendFileSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { needs } from '../rig/requirements.ts';
import { until } from '../rig/until.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { mustRun } from '../rig/run.ts';
import { echo, freePort, readToEnd } from '../rig/servers.ts';
import { makeKey, type KeyPair } from '../rig/ssh-keys.ts';
import type { Sshd } from '../rig/sshd.ts';

interface Started {
  readonly rig: Rig;
  readonly sshd: Sshd;
  readonly authority: KeyPair;
}

async function start(t: TestContext): Promise<Started | undefined> {
  if (!needs(t, 'sshd', 'ssh')) return undefined;
  const rig = await startRig(t);
  const authority = await makeKey(join(rig.folder('authority'), 'ca'));
  return { rig, authority, sshd: await rig.sshd() };
}

/** A host that lets in whoever has a certificate, and no key on its own; the identity has one. */
async function startWithUserCertificate(t: TestContext): Promise<Started | undefined> {
  const started = await start(t);
  if (started === undefined) return undefined;
  const { rig, sshd, authority } = started;
  await sign(rig, authority, sshd.identity, ['-n', sshd.client.user]);
  await sshd.restart({ config: [`TrustedUserCAKeys ${authority.file}.pub`, 'AuthorizedKeysFile none'] });
  return started;
}

/** A host whose key has a certificate. */
async function startWithHostCertificate(t: TestContext): Promise<Started | undefined> {
  const started = await start(t);
  if (started === undefined) return undefined;
  const { rig, sshd, authority } = started;
  const [hostKey] = sshd.hostKeys;
  assert.ok(hostKey);
  await sign(rig, authority, hostKey, ['-h', '-n', sshd.client.hostname]);
  await sshd.restart({ config: [`HostCertificate ${hostKey.file}-cert.pub`] });
  return started;
}

/** Writes `FILE-cert.pub`. */
async function sign({ env }: Rig, authority: KeyPair, { file }: KeyPair, options: string[]): Promise<void> {
  await mustRun(['ssh-keygen', '-q', '-s', authority.file, '-I', 'test', ...options, `${file}.pub`], { env });
}

function trust({ client }: Sshd, { publicKey }: KeyPair): void {
  const { knownHostsFile, hostname, port } = client;
  writeFileSync(knownHostsFile, `@cert-authority [${hostname}]:${port} ${publicKey}\n`);
}

/** What it wrote, with -v, when it has carried something. */
async function carries(rig: Rig, args: readonly string[]): Promise<string> {
  const server = await rig.serve(echo);
  const port = await freePort();
  const tunnel = await rig.tunnel([...args, '-v', `${port}:127.0.0.1:${server.port}`]);
  await tunnel.waitFor(new RegExp(`localhost:${port}`));
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end('there and back');
  assert.equal(await readToEnd(socket), 'there and back');
  assert.equal((await tunnel.interrupt()).status, 130);
  return tunnel.stderr;
}

/** What it wrote when it ended with 255. */
async function refused(rig: Rig, args: readonly string[]): Promise<string> {
  const tunnel = await rig.tunnel([...args, String(await freePort())]);
  const { status } = await tunnel.exit;
  assert.equal(status, 255, tunnel.stderr);
  return tunnel.stderr;
}

test('a user certificate beside the identity lets in, with the ssh program, and -v says why', async (t) => {
  const started = await startWithUserCertificate(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const said = await carries(rig, [...sshd.client.flags, 'vps']);
  assert.ok(said.includes('transport openssh: there is a certificate for an identity file'), said);
  assert.match(sshd.log(), /Accepted publickey for \S+ from .* ED25519-CERT/);
});

test('a user certificate whose private key only the agent has lets in', async (t) => {
  const started = await startWithUserCertificate(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const socket = join(rig.folder('agent'), 'agent.sock');
  await rig.start(['ssh-agent', '-D', '-a', socket], { ready: () => existsSync(socket) });
  const agent = { env: { ...rig.env, SSH_AUTH_SOCK: socket } };
  // It makes the socket before it listens; 2 is that no agent answers.
  await until('the agent answers', async () => (await rig.run(['ssh-add', '-l'], agent)).status !== 2);
  const { file } = sshd.identity;
  // ssh-add would load the certificate, too.
  renameSync(`${file}-cert.pub`, `${file}.signed`);
  await mustRun(['ssh-add', file], agent);
  renameSync(`${file}.signed`, `${file}-cert.pub`);
  rmSync(file);
  const client = sshd.writeClient({ config: [`IdentityAgent ${socket}`] });
  await carries(rig, [...client.flags, 'vps']);
});

test('a user certificate that CertificateFile names lets in, with the ssh program, and -v says why', async (t) => {
  const started = await startWithUserCertificate(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const client = sshd.writeClient({ config: [`CertificateFile ${sshd.identity.file}-cert.pub`] });
  const said = await carries(rig, [...client.flags, 'vps']);
  assert.ok(said.includes('transport openssh: CertificateFile is set'), said);
});

test('a user certificate does not let in with --transport ssh2, which ends with 255', async (t) => {
  const started = await startWithUserCertificate(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const said = await refused(rig, [...sshd.client.flags, '--transport', 'ssh2', 'vps']);
  assert.match(said, /✖ Permission denied/);
  assert.doesNotMatch(sshd.log(), /Accepted/);
});

test('a host that is known by its @cert-authority is reached with the ssh program', async (t) => {
  const started = await startWithHostCertificate(t);
  if (started === undefined) return;
  const { rig, sshd, authority } = started;
  trust(sshd, authority);
  const said = await carries(rig, [...sshd.client.flags, 'vps']);
  assert.match(said, /transport openssh: the host key of \S+ is known by a certificate authority/);
});

test('a @cert-authority that KnownHostsCommand prints is seen like one in a file', async (t) => {
  const started = await startWithHostCertificate(t);
  if (started === undefined) return;
  const { rig, sshd, authority } = started;
  trust(sshd, authority);
  const lines = join(rig.folder('command'), 'lines');
  renameSync(sshd.client.knownHostsFile, lines);
  const client = sshd.writeClient({ known: false, config: [`KnownHostsCommand /bin/cat ${lines}`] });
  const said = await carries(rig, [...client.flags, 'vps']);
  assert.match(said, /transport openssh: the host key of \S+ is known by a certificate authority/);
});

test('a host certificate lets in where an old plain key of the host is known, too', async (t) => {
  const started = await startWithHostCertificate(t);
  if (started === undefined) return;
  const { rig, sshd, authority } = started;
  const { client } = sshd;
  trust(sshd, authority);
  const old = await makeKey(join(rig.folder('old'), 'key'));
  appendFileSync(client.knownHostsFile, `[${client.hostname}]:${client.port} ${old.publicKey}\n`);
  const said = await carries(rig, [...client.flags, 'vps']);
  assert.match(said, /transport openssh: the host key of \S+ is known by a certificate authority/);
});

test('a host certificate of another authority is refused with 255', async (t) => {
  const started = await startWithHostCertificate(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  trust(sshd, await makeKey(join(rig.folder('authority'), 'other')));
  const said = await refused(rig, [...sshd.client.flags, 'vps']);
  assert.match(said, /✖ The host key of vps is not known/);
  assert.doesNotMatch(sshd.log(), /Accepted/);
});
