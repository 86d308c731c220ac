import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { LogFile, logPath } from '../../src/session/log-file.ts';
import { makeTempDir } from '../rig/temp-dir.ts';

const ENTRIES = 300;

/** A state directory of its own, and the path of a log in it. */
function place(t: TestContext): string {
  const dir = makeTempDir();
  const before = process.env['TUNNEL_STATE_DIR'];
  process.env['TUNNEL_STATE_DIR'] = join(dir.path, 'state');
  t.after(() => {
    if (before === undefined) delete process.env['TUNNEL_STATE_DIR'];
    else process.env['TUNNEL_STATE_DIR'] = before;
    dir.remove();
  });
  return logPath('deploy@vps:2222');
}

test('each entry is a line, in a file for the user alone', (t) => {
  const path = place(t);
  const log = new LogFile(path, assert.fail);
  log.write({ event: 'ready' });
  log.write({ event: 'closed', text: 'two\nlines' });
  log.close();
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as object),
    [{ event: 'ready' }, { event: 'closed', text: 'two\nlines' }],
  );
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('a log that is full is moved aside, and a new one begun; there are never more than two', (t) => {
  const path = place(t);
  const log = new LogFile(path, assert.fail, 1000);
  for (let number = 0; number < ENTRIES; number++) log.write({ number });
  log.close();
  const numbers = [`${path}.1`, path].flatMap((file) =>
    readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { number: number }).number),
  );
  assert.equal(numbers.at(-1), ENTRIES - 1);
  assert.ok(numbers.length < ENTRIES && numbers.length > 60, 'the oldest are gone, and nothing else');
  assert.deepEqual(
    numbers,
    Array.from({ length: numbers.length }, (_, index) => ENTRIES - numbers.length + index),
  );
});

test('an earlier log is gone on with', (t) => {
  const path = place(t);
  for (const number of [1, 2]) {
    const log = new LogFile(path, assert.fail);
    log.write({ number });
    log.close();
  }
  assert.equal(readFileSync(path, 'utf8'), '{"number":1}\n{"number":2}\n');
});

test('a place that others may enter is not written to, and that is told once until it works again', (t) => {
  const path = place(t);
  const state = process.env['TUNNEL_STATE_DIR'] ?? '';
  mkdirSync(state, { mode: 0o755 });
  chmodSync(state, 0o755);
  const told: string[] = [];
  const log = new LogFile(path, (why) => told.push(why));
  log.write({ number: 1 });
  log.write({ number: 2 });
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', /others may enter it/);
  chmodSync(state, 0o700);
  log.write({ number: 3 });
  chmodSync(state, 0o755);
  log.close();
  log.write({ number: 4 });
  assert.equal(told.length, 2);
  assert.equal(readFileSync(path, 'utf8'), '{"number":3}\n');
});
