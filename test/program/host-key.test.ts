import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { cleartextMessages, message } from '../rig/cleartext.ts';
import { startEmbeddedSshd, type EmbeddedSshd } from '../rig/embedded-sshd.ts';
import { generateKeys } from '../rig/generate-keys.ts';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { echo, freePort, readToEnd } from '../rig/servers.ts';
import { writeSshClient } from '../rig/ssh-client.ts';
import type { Sshd, SshdOptions } from '../rig/sshd.ts';
import { until } from '../rig/until.ts';

async function start(
  t: TestContext,
  options: SshdOptions = {},
): Promise<{ rig: Rig; sshd: Sshd } | undefined> {
  if (!needs(t, 'sshd')) return undefined;
  const rig = await startRig(t);
  return { rig, sshd: await rig.sshd(options) };
}

interface Embedded {
  readonly rig: Rig;
  readonly sshd: EmbeddedSshd;
  /** For the host `vps`, whose key is known. */
  readonly flags: readonly string[];
  /** For the host `stranger`: the same, without its key. */
  readonly strangerFlags: readonly string[];
}

/** A server that can be made to do what no real one does. */
async function startEmbedded(t: TestContext, onData?: (data: Buffer) => void): Promise<Embedded> {
  const rig = await startRig(t);
  const keys = generateKeys();
  const dir = rig.folder('client');
  const identity = { file: join(dir, 'id_ed25519'), publicKey: keys.public.trim(), fingerprint: '' };
  writeFileSync(identity.file, keys.private, { mode: 0o600 });
  const options = { publicKey: identity.publicKey, home: rig.folder('home'), ...(onData && { onData }) };
  const sshd = await rig.own(startEmbeddedSshd(options));
  const hostKeys = [{ file: '', publicKey: sshd.hostKey, fingerprint: sshd.fingerprint }];
  const client = { hostname: sshd.host, port: sshd.port, user: 'deploy', identity, hostKeys };
  const { flags } = writeSshClient(dir, client);
  return {
    rig,
    sshd,
    flags,
    strangerFlags: writeSshClient(dir, { ...client, name: 'stranger', known: false }).flags,
  };
}

test('an unknown host key without a terminal is refused with 255 before anything is asked of the server', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const client = sshd.writeClient({ name: 'stranger', known: false });
  const tunnel = await rig.tunnel([...client.flags, 'stranger', String(await freePort())]);
  assert.equal((await tunnel.exit).status, 255);
  assert.match(tunnel.stderr, /✖ .*host key/);
  assert.match(tunnel.stderr, /SHA256:/);
  assert.equal(readFileSync(client.knownHostsFile, 'utf8'), '');
  // sshd logs a user's name as soon as the client has given one.
  assert.doesNotMatch(sshd.log(), /user|Accepted|Failed|preauth\] by authenticating/i);
});

test('an unknown host key without a terminal ends the key exchange before the client has taken keys into use', async (t) => {
  const sent: Buffer[] = [];
  const { rig, sshd, flags, strangerFlags } = await startEmbedded(t, (data) => sent.push(data));
  const stranger = await rig.tunnel([...strangerFlags, 'stranger', String(await freePort())]);
  assert.equal((await stranger.exit).status, 255);
  // The server has shown its key, so the exchange was as far as that.
  assert.ok(stranger.stderr.includes(sshd.fingerprint), stranger.stderr);
  await until('the server has read everything', () => sshd.open === 0);
  const messages = cleartextMessages(Buffer.concat(sent.splice(0)));
  const asked = messages.filter((number) => number !== message.disconnect);
  assert.deepEqual(asked, [message.kexInit, message.kexEcdhInit]);

  const port = await freePort();
  const friend = await rig.tunnel([...flags, 'vps', String(port)]);
  await friend.waitFor(new RegExp(`localhost:${port}`));
  assert.equal(cleartextMessages(Buffer.concat(sent)).at(-1), message.newKeys);
});

test('an unknown host key in a terminal is asked about once, and kept', async (t) => {
  const started = await start(t);
  if (started === undefined || !needs(t, 'pty')) return;
  const { rig, sshd } = started;
  const client = sshd.writeClient({ name: 'stranger', known: false });
  const port = await freePort();
  const first = await rig.terminal([...client.flags, 'stranger', String(port)]);
  await first.waitFor(/SHA256:[\w+/]{43}/);
  await first.waitFor(/yes\/no/);
  first.write('yes\r');
  await first.waitFor(new RegExp(`localhost:${port}`));
  first.write('\x03');
  assert.equal((await first.exit).status, 130);
  assert.match(readFileSync(client.knownHostsFile, 'utf8'), /^\[127\.0\.0\.1\]:\d+ ssh-ed25519 \S+\n$/);

  const second = await rig.terminal([...client.flags, 'stranger', String(port)]);
  await second.waitFor(new RegExp(`localhost:${port}`));
  assert.doesNotMatch(second.raw, /yes\/no/);
  second.write('\x03');
  await second.exit;
});

test('an unknown host key that is declined in a terminal is refused with 255 and not kept', async (t) => {
  const started = await start(t);
  if (started === undefined || !needs(t, 'pty')) return;
  const { rig, sshd } = started;
  const client = sshd.writeClient({ name: 'stranger', known: false });
  const terminal = await rig.terminal([...client.flags, 'stranger', String(await freePort())]);
  await terminal.waitFor(/yes\/no/);
  terminal.write('no\r');
  assert.equal((await terminal.exit).status, 255);
  assert.equal(readFileSync(client.knownHostsFile, 'utf8'), '');
});

test('a changed host key is refused with 255, the file and the line', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const { flags, knownHostsFile } = sshd.client;
  writeFileSync(knownHostsFile, `# a comment\n${readFileSync(knownHostsFile, 'utf8')}`);
  await sshd.restart({ newHostKeys: true });
  for (const options of [[], ['-o', 'StrictHostKeyChecking=no'], ['-o', 'StrictHostKeyChecking=off']]) {
    const tunnel = await rig.tunnel([...flags, ...options, 'vps', String(await freePort())]);
    assert.equal((await tunnel.exit).status, 255);
    assert.ok(tunnel.stderr.includes(`${knownHostsFile}:2`), tunnel.stderr);
    assert.match(tunnel.stderr, /changed/);
    assert.equal(/StrictHostKeyChecking no accepts new keys/.test(tunnel.stderr), options.length > 0);
    assert.match(tunnel.stderr, /ssh-keygen -R/);
  }
  assert.doesNotMatch(sshd.log(), /Accepted/);
});

test('a revoked host key is refused with 255, the file and the line', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const { flags, knownHostsFile } = sshd.client;
  const known = readFileSync(knownHostsFile, 'utf8');
  writeFileSync(knownHostsFile, `${known}@revoked * ${sshd.hostKeys[0]?.publicKey}\n`);
  const tunnel = await rig.tunnel([...flags, 'vps', String(await freePort())]);
  assert.equal((await tunnel.exit).status, 255);
  assert.ok(tunnel.stderr.includes(`${knownHostsFile}:2`), tunnel.stderr);
  assert.match(tunnel.stderr, /revoked/);
});

test('a server that has several keys shows the one that is known', async (t) => {
  const started = await start(t, { hostKeys: ['ed25519', 'ecdsa', 'rsa'] });
  if (started === undefined) return;
  const { rig, sshd } = started;
  const { flags, knownHostsFile } = sshd.client;
  for (const type of ['ssh-rsa', 'ecdsa-sha2-nistp256', 'ssh-ed25519']) {
    sshd.writeClient();
    const all = readFileSync(knownHostsFile, 'utf8').split('\n');
    writeFileSync(knownHostsFile, `${all.find((line) => line.includes(type))}\n`);
    const port = await freePort();
    const tunnel = await rig.tunnel([...flags, 'vps', String(port)]);
    await tunnel.waitFor(new RegExp(`localhost:${port}`));
    await tunnel.interrupt();
  }
});

test('a download survives that keys are exchanged anew all the time', async (t) => {
  const started = await start(t, { config: ['RekeyLimit 1M', 'LogLevel DEBUG1'] });
  if (started === undefined) return;
  const { rig, sshd } = started;
  const length = 20 * 1024 * 1024;
  const server = await rig.serve((socket) => socket.end(Buffer.alloc(length, 'x')));
  const port = await freePort();
  const tunnel = await rig.tunnel([...sshd.client.flags, 'vps', `${port}:${server.port}`]);
  await tunnel.waitFor(new RegExp(`localhost:${port}`));
  assert.equal((await readToEnd(connect(port, '127.0.0.1'))).length, length);
  assert.ok(sshd.log().split('rekeying out').length > 10, sshd.log());
});

test('another host key at a re-keying ends the session with 255, and nothing passes under it', async (t) => {
  const { rig, sshd, flags } = await startEmbedded(t);
  const server = await rig.serve(echo);
  const port = await freePort();
  const tunnel = await rig.tunnel([...flags, '--json', 'vps', `${port}:${server.port}`]);
  await tunnel.waitForEvent('forward');
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  let received = '';
  socket.on('data', (data: Buffer) => (received += data.toString()));
  socket.write('before');
  await until('it is echoed', () => received === 'before');

  // From here on the server holds back what is echoed until the new keys are in use.
  sshd.rekeyWithAnotherKey();
  socket.write('after');
  const closed = await tunnel.waitForEvent('closed');
  assert.equal((closed['error'] as { code: string }).code, 'host-key-changed');
  assert.equal((await tunnel.exit).status, 255);
  await until('the connection through it is closed', () => socket.closed);
  assert.equal(received, 'before');
});
