import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const fixture = fileURLToPath(new URL('open.fixture.ts', import.meta.url));

/** Runs the command; each signal is sent when the text before it was seen on standard error. */
async function run(args: string[], ...steps: [seen: string, signal: NodeJS.Signals][]) {
  const child = spawn(process.execPath, ['--import=tsx', fixture, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  const act = () => {
    const [seen, signal] = steps[0] ?? [];
    if (seen === undefined || signal === undefined || !(stdout + stderr).includes(seen)) return;
    steps.shift();
    child.kill(signal);
  };
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    act();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    act();
  });
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout, stderr };
}

suite('the end of a session', { concurrency: 2 }, () => {
  for (const [signal, expected] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    test(`${signal} closes it and is the exit status`, async () => {
      const { status, stdout } = await run(['idle'], ['Connected', signal]);
      assert.equal(status, expected);
      assert.equal(stdout, '');
    });

    test(`${signal} gives up a connection that is being made`, async () => {
      const { status, stdout, stderr } = await run(['connecting'], ['Connecting', signal]);
      assert.equal(status, expected);
      assert.equal(stdout, '');
      assert.equal(stderr, 'Connecting to vps\nStopping\n', 'no error: it did what it was told');
    });
  }

  test('open connections are announced at the first signal, and a second one stops at once', async () => {
    const { status, stderr } = await run(['busy'], ['Connected', 'SIGINT'], ['Closing', 'SIGINT']);
    assert.equal(status, 130);
    assert.match(
      stderr,
      /^Closing: 1 connection is open, waiting up to 3 s \(Ctrl-C again stops at once\)$/m,
    );
  });

  test('the first of two different signals is the exit status', async () => {
    const { status, stderr } = await run(['busy'], ['Connected', 'SIGTERM'], ['Closing', 'SIGINT']);
    assert.equal(status, 143);
    assert.match(stderr, /\(a second signal stops at once\)$/m);
  });

  test('a second signal ends it though opening hears nothing of the first', async () => {
    const { status } = await run(['stuck'], ['Connecting', 'SIGINT'], ['Stopping', 'SIGINT']);
    assert.equal(status, 130);
  });

  test('a session that does not open is thrown', async () => {
    assert.equal((await run(['refused'])).stdout, 'threw refused\n');
  });

  test('a session that is lost is thrown', async () => {
    assert.equal((await run(['lost'])).stdout, 'threw lost\n');
  });

  for (const [kind, error] of [
    ['refused', 'refused'],
    ['lost', 'lost'],
    ['idle', undefined],
  ] as const) {
    test(`the last event is "closed" when the session is ${kind}`, async () => {
      const { stdout } = await run([kind, '--json'], ['ready', 'SIGINT']);
      const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
      const events = lines.map((line) => JSON.parse(line) as { event: string; error?: { code: string } });
      assert.deepEqual(
        events.filter(({ event }) => event === 'closed').map((event) => event.error?.code),
        [error],
      );
      assert.equal(events.at(-1)?.event, 'closed');
    });
  }
});
