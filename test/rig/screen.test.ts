import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Screen } from './screen.ts';

const cases: readonly (readonly [string, string, string])[] = [
  ['lines are kept apart', 'one\r\ntwo', 'one\ntwo'],
  ['a carriage return writes over the line', 'spinning\rready', 'readying'],
  ['colours and a hidden cursor are not seen', '\x1b[?25l\x1b[31mred\x1b[39m', 'red'],
  ['a line is erased from the cursor on', 'spinning\r\x1b[Kready', 'ready'],
  ['a whole line is erased', 'spinning\x1b[2K\rup', 'up'],
  ['the cursor goes up and to a column', 'one\r\ntwo\x1b[1A\x1b[1Gup ', 'up\ntwo'],
  ['all below the cursor is erased', 'one\r\ntwo\r\nthree\x1b[2A\x1b[1G\x1b[J', ''],
  ['characters outside of ASCII are one each', '⠋ x\r✔', '✔ x'],
];

for (const [name, written, seen] of cases) {
  test(name, () => {
    const screen = new Screen();
    screen.write(written);
    assert.equal(screen.text, seen);
  });
}

test('a sequence that comes in pieces is the same', () => {
  const screen = new Screen();
  for (const character of 'spinning\x1b[2K\r\x1b[32mup\x1b[39m') screen.write(character);
  assert.equal(screen.text, 'up');
});

test('a line that is too long goes on below, and is one line', () => {
  const screen = new Screen(4);
  screen.write('spinning\rN');
  assert.equal(screen.text, 'spinNing');
  screen.write('\x1b[1A\r\x1b[J');
  assert.equal(screen.text, '');
});

test('a narrower screen wraps its lines anew, and the cursor stays where it is in them', () => {
  const screen = new Screen(10);
  screen.write('above\r\nspinning');
  screen.resize(3);
  screen.write('\r\x1b[Kup');
  assert.equal(screen.text, 'above\nspinniup');
  screen.resize(10);
  screen.write('!');
  assert.equal(screen.text, 'above\nspinniup!');
});
