import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { resolveSettings } from '../../../src/config/ssh-config.ts';
import type { SshConnection } from '../../../src/ssh/connection.ts';
import { connectWithOpenssh } from '../../../src/ssh/openssh/connect.ts';
import { ConnectError } from '../../../src/errors.ts';
import type { Ask, Phase, SshContext } from '../../../src/ssh/context.ts';
import { startEmbeddedSshd } from '../../rig/embedded-sshd.ts';
import { startRig, type Rig } from '../../rig/rig.ts';
import { run } from '../../rig/run.ts';
import { writeSshClient, type SshClient } from '../../rig/ssh-client.ts';
import { makeKey } from '../../rig/ssh-keys.ts';
import type { Sshd } from '../../rig/sshd.ts';

export interface Told {
  readonly warnings: string[];
  /** Everything else that was told, with the protocol's messages. */
  readonly debug: string[];
  readonly phases: Phase[];
}

export interface ConnectOptions {
  readonly ask?: Ask;
  readonly signal?: AbortSignal;
  readonly told?: Told;
}

export function nothingTold(): Told {
  return { warnings: [], debug: [], phases: [] };
}

/** A rig in whose folder the private directories of connections are. */
export async function startOpensshRig(t: TestContext): Promise<Rig> {
  const rig = await startRig(t);
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = rig.dir;
  t.after(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  });
  return rig;
}

/** Connects as `client`, without waiting for it to be stopped by the rig. */
export async function connectAs(client: SshClient, options: ConnectOptions = {}): Promise<SshConnection> {
  const { ask, signal = new AbortController().signal, told = nothingTold() } = options;
  const flags = { configFile: client.configFile };
  const settings = await resolveSettings({ host: client.name }, flags);
  const context: SshContext = {
    ...(ask && { ask }),
    warn: (message) => told.warnings.push(message),
    debug: (message) => told.debug.push(message),
    trace: (message) => told.debug.push(message),
    phase: (phase) => told.phases.push(phase),
    signal,
  };
  return await connectWithOpenssh(settings, flags, context);
}

/** Connects as `client`; the rig closes the connection before its servers. */
export async function connectIn(
  rig: Rig,
  client: SshClient,
  options?: ConnectOptions,
): Promise<SshConnection> {
  const connection = await connectAs(client, options);
  await rig.own(Promise.resolve({ stop: () => connection.close() }));
  return connection;
}

/** The process ids whose command line has `text` in it. */
async function processesNaming(text: string): Promise<number[]> {
  const { stdout } = await run(['ps', '-A', '-ww', '-o', 'pid=,args='], { env: process.env });
  const lines = stdout.split('\n').filter((line) => line.includes(text));
  return lines.map((line) => Number.parseInt(line, 10));
}

/** The ssh of the rig's connections, and whatever else was started for them. */
export function helperProcesses(rig: Rig): Promise<number[]> {
  return processesNaming(`${rig.dir}/tunnel-`);
}

/** The ssh that was started as a master. */
export async function masterProcess(rig: Rig): Promise<number> {
  const [master] = await processesNaming(`ControlPath="${rig.dir}/tunnel-`);
  assert.ok(master !== undefined, 'there is a master');
  return master;
}

/** The private directories of connections that are there. */
export function privateDirs(rig: Rig): string[] {
  const names = readdirSync(rig.dir).filter((name) => name.startsWith('tunnel-'));
  return names.map((name) => join(rig.dir, name));
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => 'it did not reject',
    (error: unknown) => error,
  );
}

/** The error that `client` cannot connect with. */
export async function refusal(
  client: SshClient,
  ask?: () => Promise<string | undefined>,
): Promise<ConnectError> {
  const error = await connectAs(client, ask === undefined ? {} : { ask }).then(
    () => undefined,
    (failure: unknown) => failure,
  );
  assert.ok(error instanceof ConnectError, String(error));
  return error;
}

/** A failed connection leaves no process and no directory behind. */
export async function nothingLeft(rig: Rig): Promise<void> {
  assert.deepEqual(await helperProcesses(rig), []);
  assert.deepEqual(privateDirs(rig), []);
}

/** A client of a server that is not the rig's sshd. */
export async function clientOf(
  rig: Rig,
  port: number,
  hostKey: string,
  config: readonly string[] = [],
): Promise<SshClient> {
  const identity = await makeKey(join(rig.dir, 'id_unused'));
  const hostKeys: Sshd['hostKeys'] = [{ file: '', publicKey: hostKey, fingerprint: '' }];
  return writeSshClient(rig.folder('client'), {
    hostname: '127.0.0.1',
    port,
    user: 'somebody',
    identity,
    hostKeys,
    config,
  });
}

/** A server that lets in whoever knows the password. */
export async function passwordHost(rig: Rig, password: string): Promise<{ client: SshClient; user: string }> {
  const server = await rig.own(startEmbeddedSshd({ password, home: rig.dir }));
  return { client: await clientOf(rig, server.port, server.hostKey), user: 'somebody' };
}
