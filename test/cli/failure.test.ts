import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeFailure } from '../../src/cli/failure.ts';
import { ConnectError, UsageError } from '../../src/errors.ts';
import { Recorder } from './output/fakes.ts';

const pipe = new Recorder();

test('an error for a person is its sentence, its hints and its status', () => {
  const error = new ConnectError('refused', 'Cannot connect to vps', {
    hint: ['Is sshd running?', 'Try again.'],
  });
  assert.deepEqual(describeFailure(error, 0, pipe), {
    text: '✖ Cannot connect to vps\n  Is sshd running?\n  Try again.\n',
    exitStatus: 255,
  });
});

test('an error of our own making asks for a report, without a stack', () => {
  const { text, exitStatus } = describeFailure(new TypeError('x is not a function'), 0, pipe);
  assert.equal(exitStatus, 1);
  assert.match(text, /^✖ Internal error: TypeError: x is not a function\n {2}.*report.*-v\.\n$/);
});

test('-v shows the stack of an error of our own making, and what caused it', () => {
  const error = new TypeError('bad', { cause: new RangeError('below it') });
  assert.match(
    describeFailure(error, 1, pipe).text,
    /^✖ Internal error: .*\nTypeError: bad\n +at .*\ncaused by:\nRangeError: below it\n/s,
  );
});

test('-v shows what caused an error for a person, without a stack', () => {
  const error = new UsageError('bad', 'Bad', { cause: new RangeError('below it') });
  assert.equal(describeFailure(error, 1, pipe).text, '✖ Bad\ncaused by: RangeError: below it\n');
});

test('text of the other side cannot start a line of its own', () => {
  const { text } = describeFailure(new ConnectError('closed', 'Closed: bye\n✖ forged\u001B[2J'), 0, pipe);
  assert.equal(text, '✖ Closed: bye ✖ forged\uFFFD[2J\n');
});

test('a thrown value that is no error is shown as well', () => {
  assert.match(describeFailure('oops', 1, pipe).text, /^✖ Internal error: oops\n/);
});
