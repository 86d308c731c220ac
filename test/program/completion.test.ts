import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { flags } from '../../src/cli/flags.ts';
import { shownCommands } from '../../src/cli/help/lists.ts';
import { topicNames } from '../../src/cli/help/topic-names.ts';
import { needs } from '../rig/requirements.ts';
import { makePerson, startShell, type Person, type ShellName } from './shells.ts';

const commands = shownCommands().map(([name]) => name);
const allHosts = ['vps', 'web-1', 'db', 'known', 'known:2222', '203.0.113.7'];

const CONFIG = `Include conf.d/*
Host vps web-1 *.example !no
  User deploy
Match host vps
  Port 22
Host "db" # a comment
Host=vps
`;

const KNOWN_HOSTS = `known,203.0.113.9 ssh-ed25519 AAAA
[known]:2222 ssh-ed25519 AAAA
|1|aGFzaGVk|aGFzaGVk ssh-ed25519 AAAA
@cert-authority *.corp ssh-ed25519 AAAA
@revoked revoked ssh-ed25519 AAAA
203.0.113.7 ssh-ed25519 AAAA
`;

const scanned = ['8081', '3000', '8080:/srv/app/app.sock'];

function furnish(person: Person): void {
  person.write('.ssh/config', CONFIG);
  person.write('.ssh/conf.d/more', 'Host included\n');
  person.write('.ssh/known_hosts', KNOWN_HOSTS);
  person.write('other_config', 'Host elsewhere\n');
  person.write('id_work', '');
  person.write(
    'config/profiles.json',
    JSON.stringify({ version: 1, profiles: { work: { description: 'the office', host: 'vps' } } }),
  );
  person.write('run/vps.sock', '');
  person.write(`run/${encodeURIComponent('deploy@web-1:22')}.sock`, '');
  person.write('run/0123456789abcdef.sock', '');
  person.write('state/scan/vps.json', JSON.stringify({ version: 1, time: 'x', specs: scanned }));
  person.write('state/scan/db.json', '{"specs": [8081, null, "5432"');
  person.write('state/scan/known.json', '{"specs": [8081, null, "5432"]}');
}

const hostsAndProfiles = ['work', 'included', ...allHosts];
const sessions = ['vps', 'deploy@web-1:22'];

const positions: [line: string, expected: readonly string[]][] = [
  ['tunnel ', [...commands, ...hostsAndProfiles]],
  ['tunnel st', ['status', 'stop']],
  ['tunnel we', ['web-1']],
  ['tunnel zz', []],
  ['tunnel vps ', scanned],
  ['tunnel vps 80', ['8081', '8080:/srv/app/app.sock']],
  ['tunnel vps 8081 ', ['3000', '8080:/srv/app/app.sock']],
  ['tunnel work ', scanned],
  ['tunnel db ', []],
  ['tunnel known ', ['5432']],
  ['tunnel -4 vps -L ', scanned],
  ['tunnel 8081 ', hostsAndProfiles],
  ['tunnel -J ', ['included', ...allHosts]],
  ['tunnel -J db,we', ['db,web-1']],
  ['tunnel -p ', []],
  ['tunnel -p 22 we', ['web-1']],
  ['tunnel -F other_config ', [...commands, 'work', 'elsewhere', 'known', 'known:2222', '203.0.113.7']],
  ['tunnel --transport ', ['auto', 'ssh2', 'openssh']],
  ['tunnel --reconnect ', ['no', 'yes']],
  ['tunnel vps --reco', ['--reconnect']],
  ['tunnel -- sta', []],
  ['tunnel -- we', ['web-1']],
  ['tunnel explain we', ['web-1']],
  ['tunnel explain vps ', scanned],
  ['tunnel ls ', sessions],
  ['tunnel stop ', sessions],
  ['tunnel stop vps ', ['deploy@web-1:22']],
  ['tunnel stop --', ['--json', '--quiet', '--verbose', '--help', '--version', '--all']],
  ['tunnel status ', sessions],
  ['tunnel retry ', sessions],
  ['tunnel attach ', sessions],
  ['tunnel attach vps ', []],
  ['tunnel logs -f ', sessions],
  ['tunnel add ', sessions],
  ['tunnel add vps ', scanned],
  ['tunnel cancel vps 3', ['3000']],
  ['tunnel help ', [...commands, ...topicNames]],
  ['tunnel help exit', ['exit-codes']],
  ['tunnel completion ', ['bash', 'zsh', 'fish', 'install']],
  ['tunnel completion install ', ['bash', 'zsh', 'fish']],
  ['tunnel save ', sessions],
  ['tunnel save x we', ['web-1']],
  ['tunnel save x vps ', scanned],
  ['tunnel profile ', ['ls', 'show', 'edit', 'rm', 'rename', 'export', 'import']],
  ['tunnel profile show ', ['work']],
  ['tunnel profile show work ', []],
  ['tunnel profile rename ', ['work']],
  ['tunnel profile rename work ', []],
  ['tunnel profile ls ', []],
  ['tunnel service ', ['install', 'uninstall', 'status']],
  ['tunnel service install we', ['web-1']],
  ['tunnel service install vps ', scanned],
  ['tunnel service status ', sessions],
];

const tabs: [line: string, after: string][] = [
  ['tunnel sto', 'tunnel stop '],
  ['tunnel expl', 'tunnel explain '],
  ['tunnel web', 'tunnel web-1 '],
  ['tunnel stop de', 'tunnel stop deploy@web-1:22 '],
  ['tunnel vps 8080:/', 'tunnel vps 8080:/srv/app/app.sock '],
  ['tunnel --hel', 'tunnel --help '],
  ['tunnel profile import id', 'tunnel profile import id_work '],
  ['tunnel -i id', 'tunnel -i id_work '],
  ['tunnel -F oth', 'tunnel -F other_config '],
  ['tunnel --identity=id', 'tunnel --identity=id_work '],
  ['tunnel vps ./id', 'tunnel vps ./id_work '],
  ['tunnel zzz', 'tunnel zzz'],
];

for (const name of ['bash', 'zsh', 'fish'] as const) {
  const needed = [...(name === 'bash' ? [] : [name]), 'pty', 'root'] as const;

  test(`${name} offers what may stand at each position, and nothing else`, async (t) => {
    if (!needs(t, ...needed)) return;
    const person = await makePerson(t);
    furnish(person);
    const shell = await startShell(person, name);
    for (const [line, expected] of positions) {
      await t.test(line, async () => {
        assert.deepEqual((await shell.all(line)).toSorted(), expected.toSorted());
      });
    }
    for (const [line, after] of tabs) {
      await t.test(`${line}⇥`, async () => assert.equal(await shell.tab(line), after));
    }
  });

  test(`${name} is told what each candidate is`, async (t) => {
    if (name === 'bash' || !needs(t, ...needed)) return;
    const person = await makePerson(t);
    furnish(person);
    const { terminal } = await startShell(person, name);
    terminal.write('tunnel st\t');
    await terminal.waitFor(/stop.*end sessions/);
    await terminal.waitFor(/status.*the same at length/);
  });

  test(`${name}: hosts with odd names, a broken configuration, no HOME`, async (t) => {
    if (!needs(t, ...needed)) return;
    const person = await makePerson(t);
    const odd = [
      'xn--bcher-kva',
      'bücher',
      'x_y',
      'x+y',
      'x=y',
      'x%y',
      'x#y',
      'x~y',
      "x'y",
      'x y',
      'x$y',
      'x;id',
      '-x',
    ];
    person.write('.ssh/config', `Host ${odd.map((host) => `"${host}"`).join(' ')}\n`);
    const { HOME: _, ...env } = person.env;
    const shell = await startShell({ ...person, env }, name);
    const left = await shell.all('tunnel x');
    const plain = left.map((host) => host.replaceAll('\\', '')).toSorted();
    assert.deepEqual(plain, ['xn--bcher-kva', 'x_y', 'x+y', 'x=y', 'x%y', 'x#y', 'x~y'].toSorted());
    assert.equal(await shell.tab('tunnel bü'), 'tunnel bücher ');

    person.write(
      '.ssh/config',
      'Host "unclosed\nInclude [\nInclude config\nHost\n\0\xff\nHost fine\nNonsense',
    );
    person.write('.ssh/known_hosts', '\0\n[[[ ]\nfine2 x\n');
    person.write('config/profiles.json', '{"profiles": [');
    person.write('run/%E0%A4%A.sock', '');
    assert.deepEqual((await shell.all('tunnel fi')).toSorted(), ['fine', 'fine2']);
    person.write('run/fine.sock', '');
    assert.deepEqual(await shell.all('tunnel stop f'), ['fine']);
    assert.doesNotMatch(shell.terminal.raw, /Error|✖/);
  });

  test(`${name}: one of 2,000 hosts`, async (t) => {
    if (!needs(t, ...needed)) return;
    const person = await makePerson(t);
    const many = Array.from({ length: 2000 }, (_, i) => `host-${String(i).padStart(4, '0')}`);
    person.write('.ssh/config', many.map((host) => `Host ${host}\n  User u\n`).join(''));
    const shell = await startShell(person, name);
    assert.equal(await shell.tab('tunnel host-19987'), 'tunnel host-19987');
    assert.equal(await shell.tab('tunnel host-1998'), 'tunnel host-1998 ');
    assert.deepEqual(
      (await shell.all('tunnel host-199')).toSorted(),
      many.filter((host) => host.startsWith('host-199')),
    );
  });
}

async function installed(t: TestContext, name: ShellName): Promise<{ person: Person; said: string }> {
  const person = await makePerson(t);
  person.write('.ssh/config', 'Host web-1\n');
  const run = () =>
    person.rig.run([...person.user.prefix, 'tunnel', 'completion', 'install', name], { env: person.env });
  const { status, stdout, stderr } = await run();
  assert.equal(status, 0, stderr);
  const again = await run();
  assert.doesNotMatch(again.stdout, /Added/);
  return { person, said: stdout };
}

const rcFiles = { bash: ['bash', '--noprofile', '-i'], zsh: ['zsh', '-i'], fish: ['fish', '-i'] };

for (const name of ['bash', 'zsh', 'fish'] as const) {
  test(`tunnel completion install ${name} says what it did, and TAB works in the next ${name}`, async (t) => {
    if (!needs(t, ...(name === 'bash' ? [] : [name]), 'pty', 'root')) return;
    const { person, said } = await installed(t, name);
    const [, script = ''] = /^Wrote (.*)$/m.exec(said) ?? [];
    assert.match(readFileSync(script, 'utf8'), /tunnel __complete/);
    const terminal = await person.rig.terminal([], {
      command: [...person.user.prefix, ...rcFiles[name]],
      env: person.env,
      cwd: person.user.home,
    });
    terminal.write("echo REA''DY\r");
    await terminal.waitFor(/READY/);
    terminal.write('tunnel we\tEND');
    await terminal.waitFor(/tunnel web-1 END/);
  });
}

test('tunnel completion prints the script, and TAB loads one small file and no package', async (t) => {
  if (!needs(t, 'root')) return;
  const { rig, env, user } = await makePerson(t);
  const printed = await rig.run(['tunnel', 'completion', 'zsh'], { env });
  assert.equal(printed.stdout, readFileSync(join(import.meta.dirname, '../../completions/_tunnel'), 'utf8'));
  const loaded = await rig.run([...user.prefix, 'tunnel', '__complete', 'bash', 'tunnel st', ''], {
    env: { ...env, NODE_DEBUG: 'module,esm' },
  });
  assert.match(loaded.stdout, /^\nstatus\nstop\n$/);
  const files = [...loaded.stderr.matchAll(/ load "(.*?)" for module/g)].map(([, path = '']) =>
    basename(path),
  );
  assert.deepEqual(files, ['tunnel.js', 'complete.cjs']);
  const builtIn = [...loaded.stderr.matchAll(/ load built-in module (?:node:)?(\S+)/g)].map(
    ([, name]) => name,
  );
  assert.deepEqual(new Set(builtIn), new Set(['fs', 'os', 'path']));
  assert.doesNotMatch(loaded.stderr, /^ESM /m);
});

test('every command and every flag is offered', async (t) => {
  if (!needs(t, 'root')) return;
  const { rig, env } = await makePerson(t);
  const offered = async (...words: string[]): Promise<string[]> => {
    const { stdout } = await rig.run(['tunnel', '__complete', 'fish', ...words], { env });
    return stdout.split('\n').map((line) => line.split('\t')[0] ?? '');
  };
  const first = await offered('');
  for (const command of commands) assert.ok(first.includes(command), command);
  const seen = new Set(await offered('--'));
  for (const command of commands) for (const flag of await offered(command, '--')) seen.add(flag);
  for (const flag of Object.keys(flags)) assert.ok(seen.has(`--${flag}`), flag);
});
