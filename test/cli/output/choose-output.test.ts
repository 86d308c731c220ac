import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseOutput } from '../../../src/cli/output/choose-output.ts';
import { Recorder } from './fakes.ts';

const options = { json: false, quiet: false, verbosity: 0 };

/** What each output shows of the beginning of a session. */
async function show(
  stderr: Recorder,
  { term = 'xterm', ...flags }: Partial<typeof options> & { term?: string } = {},
): Promise<string> {
  const termBefore = process.env.TERM;
  process.env.TERM = term;
  const stdout = new Recorder();
  const output = await chooseOutput({ ...options, ...flags }, { stdout, stderr });
  process.env.TERM = termBefore ?? '';
  output.event({ type: 'connecting', host: 'vps', phase: 'connecting' });
  const shown = stdout.text + stderr.text;
  output.close();
  return shown;
}

test('a terminal gets the spinner', async () => {
  assert.match(await show(new Recorder(80)), /⠋ Connecting to vps/);
});

const plain: [where: string, stderr: Recorder, flags?: { term: string }][] = [
  ['a pipe or a file', new Recorder()],
  ['TERM=dumb', new Recorder(80), { term: 'dumb' }],
  ['a terminal without a size', new Recorder(0)],
];

for (const [where, stderr, flags] of plain) {
  test(`${where} gets plain lines`, async () => {
    assert.equal(await show(stderr, flags), 'Connecting to vps\n');
  });
}

test('-q gets no spinner', async () => {
  assert.equal(await show(new Recorder(80), { quiet: true }), '');
});

test('--json gets events, on a terminal as well', async () => {
  assert.match(await show(new Recorder(80), { json: true }), /^{"event":"connecting",.*}\n$/);
});
