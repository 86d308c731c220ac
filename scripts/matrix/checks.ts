import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import type { RunResult } from '../../test/rig/run.ts';
import { freePort } from '../../test/rig/servers.ts';
import type { Tunnel } from '../../test/rig/tunnel.ts';
import type { Place } from './places.ts';
import type { Remote } from './remote.ts';

/** Throws what is not as it should be. */
type Check = (place: Place, remote: Remote) => Promise<void>;

/** What a person does with the program, each in every place. */
export const checks: readonly (readonly [name: string, check: Check])[] = [
  ['version', version],
  ['forwards', forwards],
  ['background', background],
  ['doctor', doctor],
  ['doctor of a host', doctorOfHost],
  ['scan', scan],
  ['completion', completion],
  ['completion install', completionInstall],
  ['service', service],
];

async function version(place: Place): Promise<void> {
  const { version: expected } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    version: string;
  };
  assert.equal((await succeeds(place, '--version')).stdout, `tunnel ${expected}\n`);
  const { rig, prefix, env, node } = place;
  const { stdout } = await rig.run([...prefix, 'node', '--version'], { env, cwd: '/' });
  assert.equal(stdout, `v${node.version}\n`, 'it is not another Node.js that is run');
}

async function forwards(place: Place, { port, socket }: Remote): Promise<void> {
  const tunnel = await open(place, `auto:${port}`, `auto:${socket}`);
  const urls = await Promise.all(
    [`:${port}`, socket].map(async (target) => {
      const { url } = await tunnel.waitForEvent('forward', ({ connect }) => String(connect).endsWith(target));
      return String(url);
    }),
  );
  for (const url of urls) await comesBack(url);
  assert.equal((await tunnel.interrupt()).status, 130);
}

/** In the foreground. Where there is no home, another place for the control sockets is asked for first. */
async function open(place: Place, ...specs: readonly string[]): Promise<Tunnel> {
  const { rig, env, prefix, client } = place;
  const words = [...client.flags, '--json', client.name, ...specs];
  if (place.lacks === 'home') {
    const { TUNNEL_RUNTIME_DIR: _, ...bare } = env;
    const refused = await rig.run([...prefix, 'tunnel', ...words], { env: bare, cwd: '/' });
    assert.equal(refused.status, 2, refused.stderr);
    assert.match(refused.stderr, /TUNNEL_RUNTIME_DIR/);
  }
  return await rig.tunnel(words, { env, prefix, cwd: '/', program: ['tunnel'] });
}

async function background(place: Place, { port }: Remote): Promise<void> {
  const { client } = place;
  const local = await freePort();
  await succeeds(place, ...client.flags, '-d', client.name, `${local}:localhost:${port}`);
  await comesBack(`http://localhost:${local}`);
  const listed = await succeeds(place, 'ls', '--json');
  const names = (JSON.parse(listed.stdout) as { name: string }[]).map(({ name }) => name);
  assert.deepEqual(names, [client.name]);
  await succeeds(place, 'stop', client.name);
  await assert.rejects(fetch(`http://localhost:${local}`));
}

interface Report {
  readonly ok: boolean;
  readonly findings: readonly {
    readonly step: string;
    readonly verdict: string;
    readonly what: string;
    readonly hint: readonly string[];
  }[];
}

async function doctor(place: Place): Promise<void> {
  const { ok, findings } = JSON.parse((await succeeds(place, 'doctor', '--json')).stdout) as Report;
  assert.ok(ok, JSON.stringify(findings));
  const verdictOf = (step: string): string | undefined =>
    findings.find((found) => found.step === step)?.verdict;
  assert.equal(verdictOf('node'), 'ok');
  assert.equal(verdictOf('openssh'), place.lacks === 'openssh' ? 'warning' : 'ok');
  if (place.lacks === 'compiler') assert.equal(verdictOf('ssh2'), 'warning');
  const unexplained = findings.filter(({ verdict, hint }) => verdict === 'warning' && hint.length === 0);
  assert.deepEqual(unexplained, []);
}

async function doctorOfHost(place: Place, { port, socket }: Remote): Promise<void> {
  const { client } = place;
  const specs = [`auto:${port}`, `auto:${socket}`];
  const { stdout } = await succeeds(place, 'doctor', '--json', ...client.flags, client.name, ...specs);
  const { ok, findings } = JSON.parse(stdout) as Report;
  assert.ok(ok, JSON.stringify(findings));
  assert.equal(findings.filter(({ step, verdict }) => step === 'target' && verdict === 'ok').length, 2);
}

async function scan(place: Place, { port, socket }: Remote): Promise<void> {
  const { client } = place;
  const { stdout } = await succeeds(place, 'scan', '--json', ...client.flags, client.name);
  const { ports, sockets } = JSON.parse(stdout) as Record<'ports' | 'sockets', { spec: string }[]>;
  assert.ok(ports.some(({ spec }) => spec === String(port)));
  assert.ok(sockets.some(({ spec }) => spec === socket));
}

async function completion(place: Place): Promise<void> {
  assert.deepEqual(await offered(place, 'source <(tunnel completion bash)'), ['status', 'stop']);
}

/** What TAB offers after `tunnel st` in a bash that has run `setUp`. */
async function offered({ rig, prefix, env }: Place, setUp: string): Promise<string[]> {
  const line = 'tunnel st';
  const tab = `COMP_LINE='${line}' COMP_POINT=${line.length}; _tunnel; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const bash = [...prefix, 'bash', '--norc', '-c', `${setUp}; ${tab}`];
  const { stdout, stderr } = await rig.run(bash, { env, cwd: '/' });
  assert.equal(stderr, '');
  return stdout.trim().split('\n');
}

async function completionInstall(place: Place): Promise<void> {
  if (place.lacks === 'home') {
    await saysWhatToDo(place, /tunnel completion bash > FILE$/m, 'completion', 'install', 'bash');
    return;
  }
  await succeeds(place, 'completion', 'install', 'bash');
  assert.deepEqual(await offered(place, 'source "$HOME/.bashrc"'), ['status', 'stop']);
}

async function service(place: Place): Promise<void> {
  const { node, client } = place;
  const words = [client.name, '8081'];
  const { stdout } = await succeeds(place, 'service', 'install', '--print', ...words);
  assert.ok(stdout.includes(realpathSync(node.program)), stdout);
  if (place.lacks === 'home') await saysWhatToDo(place, /--print$/m, 'service', 'install', ...words);
}

async function saysWhatToDo(place: Place, hint: RegExp, ...words: readonly string[]): Promise<void> {
  const { status, stderr } = await tunnelOf(place, words);
  assert.equal(status, 2, stderr);
  assert.match(stderr, hint);
}

async function succeeds(place: Place, ...words: readonly string[]): Promise<RunResult> {
  const result = await tunnelOf(place, words);
  assert.equal(result.status, 0, `tunnel ${words.join(' ')}\n${result.stdout}${result.stderr}`);
  return result;
}

function tunnelOf({ rig, prefix, env }: Place, words: readonly string[]): Promise<RunResult> {
  return rig.run([...prefix, 'tunnel', ...words], { env, cwd: '/' });
}

/** A megabyte goes there and is the same when it is back. */
async function comesBack(url: string): Promise<void> {
  const sent = randomBytes(1024 * 1024);
  const response = await fetch(url, { method: 'POST', body: sent });
  assert.ok(sent.equals(Buffer.from(await response.arrayBuffer())), `${url} gave back other bytes`);
}
