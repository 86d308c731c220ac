import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { killChild } from '../rig/processes.ts';
import { startRig } from '../rig/rig.ts';
import { Transcript } from '../rig/transcript.ts';

const demo = fileURLToPath(new URL('../../scripts/demo.ts', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGHUP', 129],
] as const) {
  test(`the demo leaves nothing behind when ${signal} ends it`, async (t) => {
    const rig = await startRig(t);
    const temporary = rig.folder('tmp');
    // A process group of its own, which gets the signal as from a terminal.
    const child = spawn(process.execPath, ['--import=tsx', demo], {
      cwd: root,
      env: { ...rig.env, TMPDIR: temporary },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.after(() => killChild(child));
    const transcript = new Transcript();
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => transcript.append(chunk));
    }
    const exit = once(child, 'exit');
    await transcript.waitFor('the end of the demo', () => /Ctrl-C ends everything/.exec(transcript.text));
    const places = (): string[] => readdirSync(temporary).filter((name) => name.startsWith('tunnel-'));
    assert.equal(places().length, 1, 'it is made where the test looks');

    process.kill(-(child.pid ?? 0), signal);
    assert.deepEqual(await exit, [status, null]);
    assert.deepEqual(places(), []);
    for (const [url] of transcript.text.matchAll(/http:\/\/localhost:\d+/g)) await assert.rejects(fetch(url));
  });
}
