import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArguments } from '../../src/cli/arguments.ts';
import type { OpenCommand } from '../../src/cli/command.ts';
import { UsageError } from '../../src/errors.ts';
import { formatFlag, formatSpec } from '../../src/spec.ts';

async function parse(line: string): Promise<OpenCommand> {
  const command = await parseArguments(line.split(' '));
  assert.ok(command.name === 'open');
  return command;
}

const words: [line: string, host: object, specs: string[]][] = [
  ['vps 8081', { host: 'vps' }, ['8081']],
  ['8081 vps', { host: 'vps' }, ['8081']],
  ['8081 5000 vps', { host: 'vps' }, ['8081', '5000']],
  ['vps 8081 8080:3000 auto:4000', { host: 'vps' }, ['8081', '8080:3000', 'auto:4000']],
  ['8080:3000 vps', { host: 'vps' }, ['8080:3000']],
  ['auto:3000 vps', { host: 'vps' }, ['auto:3000']],
  ['/srv/app.sock vps', { host: 'vps' }, ['/srv/app.sock']],
  ['~/app.sock vps', { host: 'vps' }, ['~/app.sock']],
  ['unix:/srv/app.sock vps', { host: 'vps' }, ['/srv/app.sock']],
  ['unix//srv/app.sock vps', { host: 'vps' }, ['/srv/app.sock']],
  ['unix/app.sock vps', { host: 'vps' }, ['./app.sock']],
  ['./a.sock:/srv/app.sock vps', { host: 'vps' }, ['./a.sock:/srv/app.sock']],
  ['*:8080:web:80 vps', { host: 'vps' }, ['*:8080:web:80']],
  ['127.0.0.1:8080:web:80 vps', { host: 'vps' }, ['127.0.0.1:8080:web:80']],
  ['[::1]:8080:[::1]:80 vps', { host: 'vps' }, ['[::1]:8080:[::1]:80']],
  ['/srv/a@b.sock vps', { host: 'vps' }, ['/srv/a@b.sock']],
  ['vps:22 8081', { host: 'vps', port: 22 }, ['8081']],
  ['8081 vps:22', { host: 'vps', port: 22 }, ['8081']],
  ['localhost:2222 localhost:5432', { host: 'localhost', port: 2222 }, ['5432']],
  ['db.internal:22 db.internal:5432', { host: 'db.internal', port: 22 }, ['5432:db.internal:5432']],
  ['deploy@vps:22 8081', { user: 'deploy', host: 'vps', port: 22 }, ['8081']],
  ['8081 deploy@vps', { user: 'deploy', host: 'vps' }, ['8081']],
  ['[::1]:22 8081', { host: '::1', port: 22 }, ['8081']],
  ['::1 8081', { host: '::1' }, ['8081']],
  ['deploy@fe80::1 8081', { user: 'deploy', host: 'fe80::1' }, ['8081']],
  ['ssh://deploy@vps:22 8081', { user: 'deploy', host: 'vps', port: 22 }, ['8081']],
  ['8081 ssh://vps', { host: 'vps' }, ['8081']],
  ['vps -L 8081 -L8080:localhost:80', { host: 'vps' }, ['8081', '8080:80']],
  ['-L 8081 vps 5000', { host: 'vps' }, ['5000', '8081']],
  ['-- vps 8081', { host: 'vps' }, ['8081']],
  ['true 8081', { host: 'true' }, ['8081']],
];

for (const [line, destination, specs] of words) {
  test(`"${line}" goes to the host it names`, async () => {
    const command = await parse(line);
    assert.deepEqual(command.destination, destination);
    assert.deepEqual(command.forwards?.map(formatSpec), specs);
  });
}

const ssh: [line: string, flags: object][] = [
  ['vps 1', {}],
  ['-p 2222 vps 1', { port: 2222 }],
  ['vps 1 -p2222', { port: 2222 }],
  ['-p 1 -p 2 vps 1', { port: 1 }],
  ['-l one -l two vps 1', { user: 'one' }],
  ['-i a -ib vps 1', { identityFiles: ['a', 'b'] }],
  ['-F one -F two vps 1', { configFile: 'two' }],
  ['-J a,deploy@b:2222 vps 1', { jump: 'a,deploy@b:2222' }],
  ['-J none vps 1', { jump: 'none' }],
  ['-oPort=22 -o User=x vps 1', { options: ['Port=22', 'User=x'] }],
  ['-C vps 1', { compression: true }],
  ['-4 vps 1', { addressFamily: 'inet' }],
  ['-4 -6 vps 1', { addressFamily: 'inet6' }],
  ['-64 vps 1', { addressFamily: 'inet' }],
  ['-4 -- vps 1', { addressFamily: 'inet' }],
  ['-NC vps 1', { compression: true }],
];

for (const [line, flags] of ssh) {
  test(`the flags of "${line}" are understood as in ssh`, async () =>
    assert.deepEqual((await parse(line)).ssh, flags));
}

test('an option may be written with a space, as in ssh_config', async () => {
  const command = await parseArguments(['-o', 'ConnectTimeout 10', 'vps', '1']);
  assert.ok(command.name === 'open');
  assert.deepEqual(command.ssh.options, ['ConnectTimeout 10']);
});

const loudness: [line: string, expected: { quiet: boolean; verbosity: number }][] = [
  ['vps 1', { quiet: false, verbosity: 0 }],
  ['-q vps 1', { quiet: true, verbosity: 0 }],
  ['-v vps 1', { quiet: false, verbosity: 1 }],
  ['-vv vps 1 -v', { quiet: false, verbosity: 3 }],
  ['-v -q vps 1', { quiet: true, verbosity: 0 }],
  ['-q -v vps 1', { quiet: false, verbosity: 1 }],
  ['--quiet --verbose vps 1', { quiet: false, verbosity: 1 }],
];

for (const [line, expected] of loudness) {
  test(`the last of -q and -v counts in "${line}"`, async () => {
    const { quiet, verbosity } = await parse(line);
    assert.deepEqual({ quiet, verbosity }, expected);
  });
}

test('--json is off unless it is given', async () => {
  assert.equal((await parse('vps 1')).json, false);
  assert.equal((await parse('vps 1 --json')).json, true);
});

test('--help and --version need no host', async () => {
  for (const line of ['--help', '-h', 'vps -h', '-hV']) {
    assert.deepEqual(await parseArguments(line.split(' ')), { name: 'help' });
  }
  for (const line of ['--version', '-V', '-V vps']) {
    assert.deepEqual(await parseArguments(line.split(' ')), { name: 'version' });
  }
});

test('words are never turned into numbers', async () => {
  assert.deepEqual((await parse('0x10 8081')).destination, { host: '0x10' });
  assert.deepEqual((await parse('1e3 8081')).destination, { host: '1e3' });
});

test('what follows -- is a host even if it looks like a flag', async () => {
  await assert.rejects(
    parseArguments(['--', '--help', '8081']),
    (error) => error instanceof UsageError && error.message.includes('--help'),
  );
});

test('-L, -R and -D are forwards of their kinds, and may be all there is', async () => {
  const command = await parse('-L 8081 -R 9000:localhost:3000 -D1080 -R 1081 vps');
  assert.deepEqual(command.forwards?.map(formatFlag), [
    '8081',
    '-R 9000:localhost:3000',
    '-R 1081',
    '-D 1080',
  ]);
});

test('without a spec what to open is left to the configuration', async () => {
  assert.equal((await parse('vps')).forwards, undefined);
});

test('-g lets other machines in, as the option that ssh has for it', async () => {
  assert.deepEqual((await parse('-g vps 1')).ssh, { options: ['GatewayPorts=yes'] });
});
