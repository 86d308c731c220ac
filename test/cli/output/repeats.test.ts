import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { countRepeats } from '../../../src/cli/output/repeats.ts';
import { DialError } from '../../../src/errors.ts';

function recorded() {
  const printed: string[] = [];
  const repeats = countRepeats(
    (error, times) => printed.push(`${error.message} ${times ?? ''}`.trim()),
    5000,
  );
  return { printed, ...repeats };
}

test('an error is printed at once the first time, and counted after that', () => {
  mock.timers.enable({ apis: ['setInterval'] });
  const { printed, add } = recorded();
  for (let i = 0; i < 38; i++) add(new DialError('refused', 'refused'));
  assert.deepEqual(printed, ['refused']);
  mock.timers.tick(5000);
  assert.deepEqual(printed, ['refused', 'refused 37']);
  mock.timers.reset();
});

test('an error that goes on is one line a window', () => {
  mock.timers.enable({ apis: ['setInterval'] });
  const { printed, add } = recorded();
  add(new DialError('refused', 'refused'));
  for (let second = 0; second < 15; second++) {
    add(new DialError('refused', 'refused'));
    mock.timers.tick(1000);
  }
  assert.deepEqual(printed, ['refused', 'refused 5', 'refused 5', 'refused 5']);
  mock.timers.reset();
});

test('an error that comes back after a quiet window is printed anew', () => {
  mock.timers.enable({ apis: ['setInterval'] });
  const { printed, add } = recorded();
  add(new DialError('refused', 'refused'));
  mock.timers.tick(5000);
  add(new DialError('refused', 'refused'));
  assert.deepEqual(printed, ['refused', 'refused']);
  mock.timers.reset();
});

test('different errors are not counted together', () => {
  const { printed, add, flush } = recorded();
  add(new DialError('refused', 'one'));
  add(new DialError('refused', 'two'));
  add(new DialError('denied', 'two'));
  flush();
  assert.deepEqual(printed, ['one', 'two', 'two']);
});

test('what is counted and not yet printed is printed at the end', () => {
  const { printed, add, flush } = recorded();
  for (let i = 0; i < 3; i++) add(new DialError('refused', 'refused'));
  flush();
  assert.deepEqual(printed, ['refused', 'refused 2']);
});
