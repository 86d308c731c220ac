import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonOutput } from '../../../src/cli/output/json.ts';
import { ConnectionLostError, DialError } from '../../../src/errors.ts';
import type { SessionEvent } from '../../../src/session/events.ts';
import { forwardTo, Recorder, tcp, unix } from './fakes.ts';

const web = forwardTo(unix('~/app/app.sock'));
const database = forwardTo(tcp('db.internal', 5432));

const shown = {
  kind: 'local',
  listen: ['127.0.0.1:8081', '[::1]:8081'],
  open: 1,
  total: 3,
  bytesUp: 100,
  bytesDown: 2000,
};

const cases: [event: SessionEvent, line: object][] = [
  [
    { type: 'connecting', host: 'vps', phase: 'resolving' },
    { event: 'connecting', host: 'vps', phase: 'resolving' },
  ],
  [
    { type: 'ready', host: 'vps', user: 'deploy', address: '203.0.113.9:22', via: 'ssh' },
    { event: 'ready', host: 'vps', user: 'deploy', address: '203.0.113.9:22', via: 'ssh' },
  ],
  [
    { type: 'forward', forward: web },
    {
      event: 'forward',
      ...shown,
      spec: '8081:~/app/app.sock',
      connect: '~/app/app.sock',
      url: 'http://localhost:8081',
    },
  ],
  [
    { type: 'forward', forward: database },
    {
      event: 'forward',
      ...shown,
      spec: '8081:db.internal:5432',
      connect: 'db.internal:5432',
    },
  ],
  [
    { type: 'connection', forward: database, state: 'closed' },
    {
      event: 'connection',
      state: 'closed',
      ...shown,
      spec: '8081:db.internal:5432',
      connect: 'db.internal:5432',
    },
  ],
  [
    {
      type: 'error',
      forward: database,
      error: new DialError('refused', 'Refused\u001B', { hint: ['Start it.'] }),
    },
    {
      event: 'error',
      error: { code: 'refused', message: 'Refused\u001B', hint: ['Start it.'], exitStatus: 1 },
      ...shown,
      spec: '8081:db.internal:5432',
      connect: 'db.internal:5432',
    },
  ],
  [
    { type: 'waiting', host: 'vps', error: new ConnectionLostError('lost', 'Lost'), retryInMs: 500 },
    {
      event: 'waiting',
      host: 'vps',
      retryInMs: 500,
      error: { code: 'lost', message: 'Lost', hint: [], exitStatus: 255 },
    },
  ],
  [
    { type: 'cancelled', forward: database },
    { event: 'cancelled', ...shown, spec: '8081:db.internal:5432', connect: 'db.internal:5432' },
  ],
  [
    { type: 'closed', host: 'vps' },
    { event: 'closed', host: 'vps' },
  ],
  [
    { type: 'closed', host: 'vps', error: new ConnectionLostError('lost', 'Lost') },
    { event: 'closed', host: 'vps', error: { code: 'lost', message: 'Lost', hint: [], exitStatus: 255 } },
  ],
];

for (const [event, expected] of cases) {
  test(`a "${event.type}" event is one line: ${JSON.stringify(expected)}`, () => {
    const [stdout, stderr] = [new Recorder(), new Recorder()];
    jsonOutput({ json: true, quiet: false, verbosity: 0 }, { stdout, stderr }).event(event);
    assert.match(stdout.text, /^[^\n]*\n$/);
    const { time, ...fields } = JSON.parse(stdout.text) as { time: string };
    assert.equal(new Date(time).toISOString(), time);
    assert.deepEqual(fields, expected);
    assert.equal(stderr.text, '');
  });
}

test('warnings and notes are for a person and stay off standard output', () => {
  const [stdout, stderr] = [new Recorder(), new Recorder()];
  const output = jsonOutput({ json: true, quiet: false, verbosity: 1 }, { stdout, stderr });
  output.event({ type: 'warning', message: 'mind this' });
  output.event({ type: 'debug', message: 'looked up' });
  output.note('Closing');
  assert.equal(stdout.text, '');
  assert.equal(stderr.text, '! mind this\ndebug: looked up\nClosing\n');
});

test('a reader that does not read misses connections, and nothing else', () => {
  const lines: string[] = [];
  const stdout = { writableLength: 2 * 1024 * 1024, write: (line: string) => lines.push(line) };
  const output = jsonOutput({ json: true, quiet: false, verbosity: 0 }, { stdout, stderr: new Recorder() });
  output.event({ type: 'connection', forward: web, state: 'opened' });
  output.event({ type: 'closed', host: 'vps' });
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { event: string }).event),
    ['closed'],
  );
});
