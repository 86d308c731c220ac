import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { test, type TestContext } from 'node:test';
import type { SshConnection } from '../../../src/ssh/connection.ts';
import { randomBlocks, randomSha256 } from '../../rig/random.ts';
import { needs } from '../../rig/requirements.ts';
import { startRig, type Rig } from '../../rig/rig.ts';
import { digest, source } from '../../rig/servers.ts';
import { until } from '../../rig/until.ts';
import { login, nothingTold, type Told } from './ssh2.ts';

const LENGTH = 12 * 1024 * 1024;

interface Started {
  readonly rig: Rig;
  readonly told: Told;
  readonly connection: SshConnection;
}

async function start(t: TestContext, ...config: string[]): Promise<Started | undefined> {
  if (!needs(t, 'sshd')) return undefined;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const told = nothingTold();
  return { rig, told, connection: await login(rig, sshd.writeClient({ config }), undefined, told) };
}

/** sshd would begin one only after much more. */
function exchanges({ trace }: Told): number {
  return trace.filter((line) => line.includes('Initiated explicit rekey')).length;
}

async function download({ rig, connection }: Started): Promise<string> {
  const { port } = await rig.serve(source('down', LENGTH));
  const stream = await connection.dial({ kind: 'tcp', host: '127.0.0.1', port });
  stream.end();
  const hash = createHash('sha256');
  for await (const data of stream) hash.update(data as Buffer);
  return hash.digest('hex');
}

async function upload({ rig, connection }: Started): Promise<string> {
  const { port } = await rig.serve(digest);
  const stream = await connection.dial({ kind: 'tcp', host: '127.0.0.1', port });
  const answer = text(stream);
  await pipeline(Readable.from(randomBlocks('up', LENGTH)), stream, { end: true }).catch(() => undefined);
  return (await answer).trim().split(' ')[1] ?? '';
}

for (const compression of ['no', 'yes']) {
  test(`RekeyLimit in bytes exchanges keys anew, in both directions, with Compression ${compression}`, async (t) => {
    const started = await start(t, 'RekeyLimit 1M', `Compression ${compression}`);
    if (started === undefined) return;
    const { told } = started;
    assert.equal(await download(started), randomSha256('down', LENGTH));
    const after = exchanges(told);
    assert.ok(after >= 3, String(after));
    const [down, up] = await Promise.all([download(started), upload(started)]);
    assert.equal(down, randomSha256('down', LENGTH));
    assert.equal(up, randomSha256('up', LENGTH));
    assert.ok(exchanges(told) >= after + 3, String(exchanges(told)));
  });
}

test('RekeyLimit in time exchanges keys anew while nothing is sent', async (t) => {
  const started = await start(t, 'RekeyLimit default 1');
  if (started === undefined) return;
  await until('two exchanges', () => exchanges(started.told) >= 2);
  assert.equal((await started.connection.exec('echo in')).stdout, 'in\n');
});

test('without RekeyLimit the exchange is left to the server', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  await download(started);
  assert.equal(exchanges(started.told), 0);
});
