import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainOutput } from '../../../src/cli/output/plain.ts';
import { DialError } from '../../../src/errors.ts';
import type { SessionEvent } from '../../../src/session/events.ts';
import { forwardTo, Recorder, tcp, unix } from './fakes.ts';

const web = forwardTo(tcp('localhost', 8081));
const database = forwardTo(tcp('db.internal', 5432), { kind: 'tcp', host: '*', port: 5432 }, [
  tcp('0.0.0.0', 5432),
]);
const socket = forwardTo(unix('~/app/app.sock'), { kind: 'unix', path: './local.sock' }, [
  unix('./local.sock'),
]);

const events: SessionEvent[] = [
  { type: 'connecting', host: 'vps', phase: 'resolving' },
  { type: 'debug', message: 'resolved' },
  { type: 'connecting', host: 'vps', phase: 'connecting' },
  { type: 'warning', message: 'a host key\twas \u001B[31madded' },
  { type: 'connecting', host: 'vps', phase: 'authenticating' },
  { type: 'ready', host: 'vps', user: 'deploy', address: '203.0.113.9:22', via: 'ssh' },
  { type: 'forward', forward: web },
  { type: 'forward', forward: database },
  { type: 'forward', forward: socket },
  { type: 'connection', forward: web, state: 'opened' },
  {
    type: 'error',
    forward: web,
    error: new DialError('refused', 'Refused\u0007', { hint: ['start \u001B[1mit'] }),
  },
  {
    type: 'error',
    forward: web,
    error: new DialError('refused', 'Refused\u0007', { hint: ['start \u001B[1mit'] }),
  },
  { type: 'closed', host: 'vps' },
];

function show({ quiet = false, verbosity = 0 }): { stdout: string; stderr: string } {
  const [stdout, stderr] = [new Recorder(), new Recorder()];
  const output = plainOutput({ json: false, quiet, verbosity }, { stdout, stderr });
  for (const event of events) output.event(event);
  output.note('Closing');
  output.close();
  return { stdout: stdout.text, stderr: stderr.text };
}

test('the forwards are what standard output holds', () => {
  assert.equal(
    show({}).stdout,
    'http://localhost:8081 → localhost:8081\n' +
      'localhost:5432 → db.internal:5432 (on every interface)\n' +
      './local.sock → ~/app/app.sock\n',
  );
});

test('the course of things is told on standard error, without control characters', () => {
  const { stderr } = show({});
  assert.equal(
    stderr,
    'Connecting to vps\n' +
      '! a host key was \uFFFD[31madded\n' +
      'Connected to vps as deploy@203.0.113.9:22\n' +
      '✖ Refused\uFFFD\n' +
      '  start \uFFFD[1mit\n' +
      'Closing\n' +
      '✖ Refused\uFFFD (1 more time)\n',
  );
  assert.doesNotMatch(stderr.replaceAll('\n', ''), /\p{Cc}/u);
});

test('-q leaves only the errors', () => {
  const { stdout, stderr } = show({ quiet: true });
  assert.equal(stdout, '');
  assert.equal(stderr, '✖ Refused\uFFFD\n  start \uFFFD[1mit\n✖ Refused\uFFFD (1 more time)\n');
});

test('-v adds what is for debugging', () => {
  assert.match(show({ verbosity: 1 }).stderr, /^debug: resolved$/m);
});
