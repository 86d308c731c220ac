import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examples } from './readme/examples.ts';
import { finding } from './readme/finding.ts';
import { opening } from './readme/opening.ts';
import { sessions } from './readme/sessions.ts';
import { commands } from './readme/text.ts';
import { startWorld } from './readme/world.ts';

const rows = [...opening, ...sessions, ...finding];

test('each command of the README has a check, and each check is of a command', () => {
  assert.deepEqual(
    rows.map(([line]) => line),
    commands(),
  );
});

test('the commands of the README, one after the other, do what it says, and so do its examples', async (t) => {
  const world = await startWorld(t);
  if (world === undefined) return;
  for (const [line, check] of rows) await t.test(line, () => check(world, line));
  for (const [title, use] of examples) await t.test(title, () => use(world));
});
