// oxlint-disable no-control-regex
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { terminalOutput } from '../../../src/cli/output/terminal.ts';
import { DialError } from '../../../src/errors.ts';
import type { SessionEvent } from '../../../src/session/events.ts';
import { forwardTo, Recorder, tcp } from './fakes.ts';

const web = forwardTo(tcp('localhost', 8081));
const busy = { open: 2, total: 15, bytesUp: 1_234_567, bytesDown: 40_000_000 };
const options = { json: false, quiet: false, verbosity: 0 };

const opening: SessionEvent[] = [
  { type: 'connecting', host: 'vps', phase: 'connecting' },
  { type: 'warning', message: 'a host key was added' },
  { type: 'connecting', host: 'vps', phase: 'authenticating' },
  { type: 'warning', message: 'mind this' },
  { type: 'ready', host: 'vps', user: 'deploy', address: '203.0.113.9:22' },
  { type: 'forward', forward: web },
];

function opened({ columns = 100, stdout = new Recorder(100) } = {}) {
  const stderr = new Recorder(columns);
  const output = terminalOutput(options, { stdout, stderr });
  for (const event of opening) output.event(event);
  return { stdout, stderr, output };
}

/** What a person sees in the end: later text on a line replaces what was there. Knows what our outputs use. */
function rendered(text: string): string[] {
  const lines = [''];
  let column = 0;
  const put = (text: string) => {
    const line = lines.at(-1) ?? '';
    lines[lines.length - 1] = line.slice(0, column).padEnd(column) + text + line.slice(column + text.length);
    column += text.length;
  };
  for (const [token] of text.matchAll(/\u001B\[[?\d;]*[a-zA-Z]|[\r\n]|[^\u001B\r\n]+/g)) {
    const clear = /^\u001B\[([0-2]?)K$/.exec(token);
    const move = /^\u001B\[(\d+)G$/.exec(token);
    if (token === '\n') [column] = [0, lines.push('')];
    else if (token === '\r') column = 0;
    else if (move) column = Number(move[1]) - 1;
    else if (clear) lines[lines.length - 1] = clear[1] === '1' ? '' : (lines.at(-1) ?? '').slice(0, column);
    else if (!token.startsWith('\u001B')) put(token);
    else assert.match(token, /^\u001B\[\?\d+[hl]$/, 'only modes are left');
  }
  return lines;
}

test('the spinner says what is done, and is gone when the session is ready', () => {
  const { stderr, output } = opened();
  output.close();
  assert.match(stderr.text, /Connecting to vps/);
  assert.match(stderr.text, /Logging in to vps/);
  assert.deepEqual(rendered(stderr.text), [
    '! a host key was added',
    '! mind this',
    '● vps  deploy@203.0.113.9:22',
    '  http://localhost:8081 → localhost:8081',
    '',
  ]);
});

test('the live line is below everything else and is gone at the end', () => {
  const { stderr, output } = opened();
  output.watch(() => busy);
  const live = '2 open · 15 total · ↑ 1.2 MB (0 B/s) · ↓ 40 MB (0 B/s) · up 0s';
  assert.equal(rendered(stderr.text).at(-1), live);

  output.event({
    type: 'error',
    forward: web,
    error: new DialError('refused', 'Refused', { hint: ['Start it.'] }),
  });
  assert.deepEqual(rendered(stderr.text).slice(-3), ['✖ Refused', '  Start it.', live]);

  output.close();
  assert.deepEqual(rendered(stderr.text).slice(-3), ['✖ Refused', '  Start it.', '']);
});

for (const columns of [60, 20, 2, 1]) {
  test(`the live line is cut to ${columns} columns`, () => {
    const { stderr, output } = opened({ columns });
    const before = stderr.text.length;
    output.watch(() => busy);
    const line = stripVTControlCharacters(stderr.text.slice(before)).replaceAll('\r', '');
    assert.equal(line.length, columns - 1);
    output.close();
  });
}

test('the live line makes way for a question and comes back', () => {
  const { stderr, output } = opened();
  output.watch(() => busy);
  output.suspend();
  assert.equal(rendered(stderr.text).at(-1), '');
  output.event({ type: 'warning', message: 'meanwhile' });
  assert.deepEqual(rendered(stderr.text).slice(-2), ['! meanwhile', '']);
  output.resume();
  assert.match(rendered(stderr.text).at(-1) ?? '', /^2 open/);
  output.close();
});

test('the spinner makes way for a question and comes back', () => {
  const stderr = new Recorder(80);
  const output = terminalOutput(options, { stdout: new Recorder(80), stderr });
  output.event({ type: 'connecting', host: 'vps', phase: 'connecting' });
  output.suspend();
  assert.deepEqual(rendered(stderr.text), ['']);
  output.event({ type: 'connecting', host: 'vps', phase: 'authenticating' });
  assert.deepEqual(rendered(stderr.text), [''], 'no spinner over a question');
  output.resume();
  assert.match(rendered(stderr.text).at(-1) ?? '', /Logging in to vps/);
  output.close();
  assert.deepEqual(rendered(stderr.text), ['']);
});

test('whoever reads standard output gets the forwards, without colours', () => {
  const stdout = new Recorder();
  opened({ stdout }).output.close();
  assert.equal(stdout.text, 'http://localhost:8081 → localhost:8081\n');
});

test('nothing is shown twice where standard output is the terminal', () => {
  const { stdout, output } = opened();
  output.close();
  assert.equal(stdout.text, '');
});
