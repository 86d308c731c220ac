import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pressed, type Choice } from '../../src/cli/choose.ts';
import { browserCommand } from '../../src/cli/commands/browse.ts';
import { siteSpecs } from '../../src/cli/commands/alone.ts';

function after(...keys: string[]): Choice {
  const start: Choice = { at: 0, chosen: new Set(), state: 'choosing' };
  return keys.reduce((choice, key) => {
    const ctrl = key.startsWith('^');
    return pressed(choice, { name: ctrl ? key.slice(1) : key, ctrl }, 3);
  }, start);
}

test('the arrows go round, space ticks and unticks, a ticks all or none', () => {
  assert.equal(after('down', 'down').at, 2);
  assert.equal(after('down', 'down', 'down').at, 0);
  assert.equal(after('up').at, 2);
  assert.equal(after('k', 'k', 'j').at, 2);
  assert.deepEqual([...after('space', 'down', 'space').chosen], [0, 1]);
  assert.deepEqual([...after('space', 'space').chosen], []);
  assert.deepEqual([...after('a').chosen], [0, 1, 2]);
  assert.deepEqual([...after('a', 'a').chosen], []);
});

test('Enter ends it, and so do Escape, q, Ctrl-C and Ctrl-D; other keys do nothing', () => {
  assert.equal(after('return').state, 'done');
  for (const key of ['escape', 'q', '^c', '^d']) assert.equal(after(key).state, 'given-up', key);
  assert.deepEqual(after('x', 'tab', '^a', 'left'), after());
});

test('BROWSER may be a list, have arguments and a place for the URL', () => {
  const command = (BROWSER: string | undefined, platform = 'linux') =>
    browserCommand('http://localhost:1', { env: { ...(BROWSER !== undefined && { BROWSER }) }, platform });
  assert.deepEqual(command(undefined), ['xdg-open', 'http://localhost:1']);
  assert.deepEqual(command('', 'darwin'), ['open', 'http://localhost:1']);
  assert.deepEqual(command('firefox:w3m'), ['firefox', 'http://localhost:1']);
  assert.deepEqual(command('chromium --app=%s'), ['chromium', '--app=http://localhost:1']);
});

test('a site of Caddy is opened on its own port, below 1024 on a free one', () => {
  const site = (...listen: string[]) => ({ listen, hosts: [], routes: [] });
  assert.deepEqual(
    siteSpecs([site(':8081', '[::1]:8081'), site(':443'), site('unix//run/x.sock', 'udp/:9')]),
    ['8081', 'auto:443'],
  );
});
