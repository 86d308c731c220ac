import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { trafficLine } from '../../../src/cli/output/lines.ts';
import { terminalOutput } from '../../../src/cli/output/terminal.ts';
import { DialError } from '../../../src/errors.ts';
import type { SessionEvent } from '../../../src/session/events.ts';
import type { Traffic } from '../../../src/session/session.ts';
import { Screen } from '../../rig/screen.ts';
import { forwardTo, Recorder, tcp } from './fakes.ts';

const web = forwardTo(tcp('localhost', 8081));
const busy: Traffic = { open: 2, total: 15, bytesUp: 1_234_567, bytesDown: 40_000_000 };
const options = { json: false, quiet: false, verbosity: 0 };

const opening: SessionEvent[] = [
  { type: 'connecting', host: 'vps', phase: 'connecting' },
  { type: 'warning', message: 'a host key was added' },
  { type: 'connecting', host: 'vps', phase: 'authenticating' },
  { type: 'warning', message: 'mind this' },
  { type: 'ready', host: 'vps', user: 'deploy', address: '203.0.113.9:22', via: 'ssh' },
  { type: 'forward', forward: web },
];

function opened({ columns = 100, stdout = new Recorder(100) } = {}) {
  const stderr = new Recorder(columns);
  const output = terminalOutput(options, { stdout, stderr });
  for (const event of opening) output.event(event);
  return { stdout, stderr, output };
}

/** What a person sees in the end. */
function rendered(text: string): string[] {
  return onScreen(text).text.split('\n');
}

/** As a terminal gets it, where a line feed is a new line. */
function onScreen(text: string, columns?: number): Screen {
  const screen = new Screen(columns);
  screen.write(text.replaceAll('\n', '\r\n'));
  return screen;
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
  assert.deepEqual(rendered(stderr.text).slice(-2), ['✖ Refused', '  Start it.']);
});

/** What the live line is on a terminal of so many columns. */
function liveLine(columns: number, traffic: Traffic = busy): string {
  const { stderr, output } = opened({ columns });
  const before = stderr.text.length;
  output.watch(() => traffic);
  output.close();
  return stripVTControlCharacters(stderr.text.slice(before)).replaceAll('\r', '');
}

test('the live line is shorter where the long one has no room', () => {
  assert.equal(liveLine(63), '2 open · 15 total · ↑ 1.2 MB (0 B/s) · ↓ 40 MB (0 B/s) · up 0s');
  for (const columns of [62, 40]) assert.equal(liveLine(columns), '2 open ↑1.2 MB ↓40 MB 0 B/s 0s');
});

test('the shorter live line has room in 40 columns', () => {
  const rate = { up: 400_000_000, down: 599_000_000 };
  const much = { open: 1000, total: 100_000, bytesUp: 999_000, bytesDown: 999_000_000_000 };
  assert.equal(trafficLine(much, rate, 59 * 60_000 + 30_000, 39), '1000 open ↑999 kB ↓999 GB 999 MB/s 59m');
});

for (const columns of [20, 2, 1]) {
  test(`the live line is cut to ${columns} columns`, () => {
    assert.equal(liveLine(columns).length, columns - 1);
  });
}

test('nothing of the live line is left when the terminal was made narrower', () => {
  for (const end of ['an error', 'the end']) {
    const { stderr, output } = opened();
    output.watch(() => busy);
    const screen = onScreen(stderr.text, 100);
    const before = stderr.text.length;
    screen.resize(30);
    Object.assign(stderr, { columns: 30 });
    if (end === 'an error')
      output.event({ type: 'error', forward: web, error: new DialError('refused', 'Refused') });
    output.close();
    screen.write(stderr.text.slice(before).replaceAll('\n', '\r\n'));
    assert.doesNotMatch(screen.text, /open|total|MB/, end);
    assert.match(screen.text, end === 'an error' ? /8081\n✖ Refused$/ : /8081$/);
  }
});

test('the ^C that a terminal echoes leaves nothing behind', () => {
  for (const columns of [100, 40, 33, 32, 20]) {
    const { stderr, output } = opened({ columns });
    output.watch(() => busy);
    const screen = onScreen(stderr.text, columns);
    screen.write('^C');
    const before = stderr.text.length;
    output.note('Closing');
    output.close();
    screen.write(stderr.text.slice(before).replaceAll('\n', '\r\n'));
    assert.match(screen.text, /8081\nClosing$/, `${columns} columns`);
  }
});

test('the live line makes way for a question and comes back', () => {
  const { stderr, output } = opened();
  output.watch(() => busy);
  output.suspend();
  assert.doesNotMatch(rendered(stderr.text).join('\n'), /open/);
  output.event({ type: 'warning', message: 'meanwhile' });
  assert.equal(rendered(stderr.text).at(-1), '! meanwhile');
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

test('whoever reads standard output gets the forwards, without colours, and nobody else', () => {
  const stdout = new Recorder();
  const { stderr, output } = opened({ stdout });
  output.close();
  assert.equal(stdout.text, 'http://localhost:8081 → localhost:8081\n');
  assert.doesNotMatch(stderr.text, /8081/);
});

test('nothing is shown twice where standard output is the terminal', () => {
  const { stdout, output } = opened();
  output.close();
  assert.equal(stdout.text, '');
});

test('a reader of standard output that writes to the same terminal has a line of its own', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const stdout = new Recorder();
  const { stderr, output } = opened({ stdout });
  const screen = new Screen(100);
  let seen = 0;
  const show = (text: string): void => screen.write(text.replaceAll('\n', '\r\n'));
  const showErrors = (): void => {
    show(stderr.text.slice(seen));
    seen = stderr.text.length;
  };
  const line = 'http://localhost:8081 → localhost:8081\n';
  output.watch(() => busy);
  showErrors();
  show(line);
  t.mock.timers.tick(1000);
  showErrors();
  assert.match(screen.text, /203\.0\.113\.9:22\nhttp:\S+ → localhost:8081\n2 open/);

  output.event({ type: 'forward', forward: web });
  showErrors();
  show(line);
  output.event({ type: 'warning', message: 'meanwhile' });
  t.mock.timers.tick(1000);
  showErrors();
  output.close();
  assert.match(screen.text, /localhost:8081\nhttp:\S+ → localhost:8081\n! meanwhile\n2 open/);
});
