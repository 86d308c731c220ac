import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { closesFirst, freePort } from '../rig/servers.ts';
import type { Sshd } from '../rig/sshd.ts';
import type { Terminal, TerminalOptions } from '../rig/terminal.ts';
import { binary } from '../rig/tunnel.ts';

interface Started {
  readonly rig: Rig;
  readonly sshd: Sshd;
  /** Of what is open in the background. */
  readonly url: string;
  /** To open one more. */
  readonly spec: string;
}

/** A session in the background. */
async function start(t: TestContext): Promise<Started | undefined> {
  if (!needs(t, 'sshd', 'pty')) return undefined;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const { port } = await rig.serve(closesFirst('HTTP/1.0 200 OK\r\n\r\nhello'));
  const [background, one] = [await freePort(), await freePort()];
  const tunnel = [process.execPath, binary, ...sshd.client.flags];
  const { status, stderr } = await rig.run([...tunnel, 'vps', `${background}:${port}`, '-d']);
  assert.equal(status, 0, stderr);
  return { rig, sshd, url: `http://localhost:${background}`, spec: `${one}:localhost:${port}` };
}

/** libuv takes a closed terminal for the end of what it says, and drops what it has not read yet of more than 4 KiB. */
const lingering = ['sh', '-c', '"$@"; status=$?; sleep 0.3; exit $status', 'sh', process.execPath, binary];

/** What a person looks at, each in a terminal of its own, to its end. */
async function lookAt(
  { rig, sshd, spec, url }: Started,
  options: Partial<TerminalOptions>,
  ...flags: string[]
): Promise<Record<'opening' | 'ls' | 'status' | 'explain' | 'scan' | 'doctor' | 'help' | 'error', Terminal>> {
  const client = sshd.client.flags;
  const ended = async (...args: string[]): Promise<Terminal> => {
    const terminal = await rig.terminal([...args, ...flags], { ...options, command: lingering });
    await terminal.exit;
    return terminal;
  };
  // A name of its own: the session in the background is another.
  const opening = await rig.terminal([...client, `${sshd.client.user}@vps`, spec, ...flags], options);
  await opening.waitFor(/localhost:\d+\n? *(?:→|->)/);
  if (flags.length === 0 && options.type !== 'dumb') await opening.waitFor(/^\d+ open/m);
  opening.write('\x03');
  await opening.exit;
  return {
    opening,
    ls: await ended('ls'),
    status: await ended('status'),
    explain: await ended('explain', ...client, 'vps', spec),
    scan: await ended('scan', ...client, 'vps'),
    doctor: await ended('doctor', ...client, 'vps', spec),
    help: await ended('--help'),
    error: await ended(...client, 'vps', `${new URL(url).port}0:x:99999`),
  };
}

/** The lines of a screen, whole, where they are wider than the terminal. */
function tooLong({ screen }: Terminal, columns: number): string[] {
  return screen.split('\n').filter((line) => line.length > columns);
}

test('in 40 columns lines break between their parts, and in 200 each is one', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const narrow = await lookAt(started, { columns: 40 });
  for (const name of ['opening', 'ls'] as const) assert.deepEqual(tooLong(narrow[name], 40), [], name);
  for (const line of tooLong(narrow.help, 40))
    assert.match(line, /^ {2}\S|^ *\S+$/, 'what is typed stays whole');
  for (const name of ['ls', 'status'] as const) {
    assert.match(narrow[name].screen, new RegExp(`^ +${started.url}$`, 'm'), 'alone on its line');
    assert.match(narrow[name].screen, /^ {4}→ localhost:\d+\b/m);
  }
  assert.match(narrow.explain.screen, /^ {2}reconnect {2}500ms\.\.30s {2}default$/m);
  assert.match(narrow.scan.screen, /^✔ \d+ {2}\S+/m);
  const wide = await lookAt(started, { columns: 200 });
  for (const name of ['ls', 'status'] as const) {
    assert.match(
      wide[name].screen,
      new RegExp(`^ {2}${started.url} → localhost:\\d+ {2}\\d+ open · .* B$`, 'm'),
    );
  }
  for (const terminal of Object.values(wide)) assert.deepEqual(tooLong(terminal, 200), []);
  assert.match(wide.help.screen, /^ {2}-q, --quiet +only errors$/m);
});

test('the spinner and the live line never take more than one line, and leave nothing behind', async (t) => {
  if (!needs(t, 'sshd', 'pty')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd({ relay: true });
  const name = `a-host-whose-name-is-longer-than-${'the-terminal-is-wide'.repeat(2)}`;
  const client = sshd.writeClient({ name });
  sshd.relay?.set({ delayMs: 100 });
  const terminal = await rig.terminal([...client.flags, name, `${await freePort()}:1`], { columns: 40 });
  await terminal.waitFor(/^\S Log.*…$/m);
  await terminal.waitFor(/^\d+ open ↑\S.* [2-9]s$/m);
  assert.doesNotMatch(terminal.screen, /Look|Log|Connecting/);
  await sshd.relay?.refuse(true);
  sshd.relay?.drop();
  await terminal.waitFor(/^Next try in .*\(Enter: now\)$/m);
  assert.equal(terminal.screen.match(/Next try|\d open/g)?.length, 1);
  terminal.write('\x03');
  await terminal.exit;
  assert.doesNotMatch(terminal.screen, /Next try|\d open/);
});

/** Control sequences that set colours or other looks; the numbers of those that there are. */
function looks({ raw }: Terminal): Set<number> {
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  const found = [...raw.matchAll(/\x1b\[([\d;]*)m/g)];
  return new Set(found.flatMap(([, numbers = '']) => numbers.split(';').map(Number)));
}

test('colours are those of the theme, light or dark, without backgrounds; with NO_COLOR there are none', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  // Bold, dim, red, green, yellow, cyan, and the end of each.
  const allowed = new Set([1, 2, 22, 31, 32, 33, 36, 39]);
  for (const [name, terminal] of Object.entries(await lookAt(started, {}))) {
    for (const look of looks(terminal)) assert.ok(allowed.has(look), `${name}: ${look}`);
  }
  const env = { ...started.rig.env, NO_COLOR: '1' };
  for (const [name, terminal] of Object.entries(await lookAt(started, { env }))) {
    assert.deepEqual([...looks(terminal)], [], name);
  }
});

for (const [title, options, flags] of [
  ['a terminal that can do nothing (TERM=dumb)', { type: 'dumb' }, []],
  ['--plain', {}, ['--plain']],
] as const) {
  test(`with ${title} there is no control sequence, spinner or live line`, async (t) => {
    const started = await start(t);
    if (started === undefined) return;
    const { help: _, ...screens } = await lookAt(started, options, ...flags);
    for (const [name, { raw }] of Object.entries(screens))
      assert.ok(!raw.includes('\x1b'), `${name}: ${raw}`);
    assert.doesNotMatch(screens.opening.raw, /\d open/);
    assert.match(screens.opening.raw, /^Connecting to vps\r\nConnected to vps as .*\r\nhttp:/);
  });
}

test('without a terminal there is no control sequence either', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd, spec } = started;
  const tunnel = await rig.tunnel([...sshd.client.flags, `${sshd.client.user}@vps`, spec]);
  await tunnel.waitFor(/→/);
  await tunnel.interrupt();
  for (const args of [['ls'], ['status'], ['doctor', ...sshd.client.flags, 'vps', spec], ['ls', '-x']]) {
    const { stdout, stderr } = await rig.run([process.execPath, binary, ...args]);
    assert.ok(!`${stdout}${stderr}`.includes('\x1b'), args.join(' '));
  }
});

test('where the locale has no UTF-8 everything is ASCII', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  for (const locale of [{ LANG: 'C' }, { LC_ALL: 'en_US.ISO-8859-1' }]) {
    const env = { ...started.rig.env, ...locale };
    for (const [name, { raw }] of Object.entries(await lookAt(started, { env }))) {
      // oxlint-disable-next-line no-control-regex -- all of ASCII
      assert.match(raw, /^[\x00-\x7f]*$/, name);
    }
  }
});
