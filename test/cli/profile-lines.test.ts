import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArguments, readLine } from '../../src/cli/arguments.ts';
import { commandReaders } from '../../src/cli/command-readers.ts';
import { openEntry } from '../../src/cli/command-table.ts';
import { withLayers, type Layer } from '../../src/cli/layers/layer.ts';
import { profileLayer, projectLayer } from '../../src/cli/layers/profile-layer.ts';
import { profileShape } from '../../src/config/profiles/profile.ts';
import { check } from '../../src/config/profiles/shape.ts';

const lines = [
  'vps 8081',
  'deploy@vps:2222 8081 3000:~/app/app.sock',
  'vps -L 8081 -R 9000:localhost:3000 -R 1080 -D 1080 -D 127.0.0.1:1081',
  'vps 8081 -p 22 -l deploy -i /k/a -i ~/.ssh/b -J a,b:22 -F /etc/x -o Port=1 -oTag=x -C',
  '-g vps 8081',
  'vps 8081 --transport openssh --hold 500ms --retry-dial 0s --reconnect no --wait',
  'vps --reconnect 1s..2m -J none -F none',
  '[::1]:22 [::1]:8080:[::1]:80',
  '8081 vps',
  'vps --http 8080 -r /api/*=~/api/app.sock -r api.localhost/=5000,keep-prefix 8081',
  'vps 8081 --wireguard 10.0.0.1,interface=wg0 --via wireguard',
  'vps 8081 --wireguard 10.0.0.1 --standby',
];

for (const line of lines) {
  test(`"tunnel save x ${line}" keeps what "tunnel ${line}" would open`, async () => {
    const saved = await parseArguments(['save', 'x', ...line.split(' ')]);
    assert.ok(saved.name === 'save' && saved.session !== undefined);
    check(profileShape, saved.session, { file: 'x', path: [] });
    const { line: alone } = await readLine([saved.session.host ?? 'x']);
    assert.ok(alone);
    const { flags } = withLayers(alone.flags, openEntry.flags, [profileLayer('x', saved.session)], false);
    assert.deepEqual(commandReaders.open({ ...alone, flags }), await parseArguments(line.split(' ')));
  });
}

test('a reverse proxy that has more than routes is not kept in part', async () => {
  for (const more of ['--as=app.example.org', '--caddyfile=x/Caddyfile', '--log-queries']) {
    await assert.rejects(parseArguments(['save', 'x', 'vps', '-r', '/=5000', more]), { code: 'not-kept' });
  }
});

test('a relative folder of a project is found from wherever somebody works in it', () => {
  const { values } = projectLayer({
    path: '/home/me/shop/tunnel.json',
    hash: '',
    routes: ['/=./web', '/api/*=5000', '/docs/*=/srv/docs,spa'],
  });
  assert.deepEqual(values['route'], ['/=/home/me/shop/web', '/api/*=5000', '/docs/*=/srv/docs,spa']);
});

test('SPECs alone are those of the host that the profile is called after', async () => {
  const saved = await parseArguments(['save', 'vps', '8081', '-D', '1080']);
  assert.ok(saved.name === 'save');
  assert.deepEqual(saved.session, { forwards: ['8081', '-D 1080'] });
});

test('a name alone leaves it to the running session', async () => {
  const saved = await parseArguments(['save', 'vps', '--tag', 'a', '--tag', 'b', '--description', 'c']);
  assert.ok(saved.name === 'save');
  assert.equal(saved.session, undefined);
  assert.deepEqual([saved.description, saved.tags], ['c', ['a', 'b']]);
});

async function layered(argv: readonly string[], ...layers: Layer[]) {
  const { line } = await readLine(argv);
  assert.ok(line);
  const opensTyped = line.words.length > 1;
  return withLayers(line.flags, openEntry.flags, layers, opensTyped);
}

test('the first layer that says what to open says all of it', async () => {
  const one: Layer = { source: 'one', values: { remote: ['1'] } };
  const two: Layer = { source: 'two', values: { forward: ['2'], dynamic: ['3'], hold: ['1s'] } };
  const { flags, sources } = await layered(['vps'], one, two);
  assert.deepEqual(
    [flags.forward, flags.remote, flags.dynamic, flags.hold],
    [undefined, ['1'], undefined, ['1s']],
  );
  assert.deepEqual(
    sources.map(({ flag, source }) => [flag, source]),
    [
      ['remote', 'one'],
      ['hold', 'two'],
    ],
  );
  assert.equal((await layered(['vps', '8081'], one, two)).flags.remote, undefined);
});

test('options add up, the nearest first; a switch that is off above stays off', async () => {
  const above: Layer = { source: 'above', values: { wait: false, option: ['A=2'] } };
  const below: Layer = { source: 'below', values: { wait: true, option: ['A=3'], compress: true } };
  const { flags } = await layered(['vps', '-o', 'A=1'], above, below);
  assert.deepEqual(flags.option, ['A=1', 'A=2', 'A=3']);
  assert.equal(flags.wait, undefined);
  assert.equal(flags.compress, true);
});

test('what the command does not know is left out', async () => {
  assert.equal('later' in (await layered(['vps'], { source: 'x', values: { later: ['1'] } })).flags, false);
});
