import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { suite, test } from 'node:test';
import { runTunnel } from './run-tunnel.ts';

/** A command line that is wrong, and the word that the answer has to name. */
type Case = readonly [args: readonly string[], named: string];

const hosts: Case[] = [
  [[], 'tunnel HOST'],
  [['8081'], '8081'],
  [['8081', '5000'], '5000'],
  [['8080:3000', '/srv/app.sock'], '/srv/app.sock'],
  [['8081', 'vps', '5000'], 'tunnel vps 8081 5000'],
  [['-L', '8081'], 'tunnel HOST 8081'],
  [['', '8081'], '""'],
  [[' ', '8081'], '" "'],
  [['v ps', '8081'], 'v ps'],
  [['vps\n', '8081'], 'vps\\'],
  [['v\u001B[31mps', '8081'], 'v\\'],
  [['vps;id', '8081'], 'vps;id'],
  [['$(id)', '8081'], '$(id)'],
  [['@vps', '8081'], '@vps'],
  [['deploy@', '8081'], 'deploy@'],
  [['-x@vps', '8081'], '-x'],
  [['--', '-vps', '8081'], '-vps'],
  [['vps:', '8081'], 'vps:'],
  [['vps:0', '8081'], 'vps:0'],
  [['vps:65536', '8081'], '65536'],
  [['vps:99999999999', '8081'], '99999999999'],
  [['vps:ssh', '8081'], '"ssh"'],
  [['[::1', '8081'], '[::1'],
  [['[::1]x', '8081'], '[::1]x'],
  [['[]', '8081'], '[]'],
  [['ssh://', '8081'], 'ssh://'],
  [['ssh://vps:port', '8081'], 'port'],
  [['ssh://vps/path', '8081'], 'ssh://vps/path'],
  [['ssh://deploy:secret@vps', '8081'], 'password'],
  [['http://vps', '8081'], 'http'],
];

const specs: Case[] = [
  [['vps', ''], '""'],
  [['vps', ' '], '" "'],
  [['vps', '0'], '"0"'],
  [['vps', '65536'], '65536'],
  [['vps', '-1'], '-1'],
  [['vps', '80.5'], '80.5'],
  [['vps', '0x50'], '0x50'],
  [['vps', '1e3'], '1e3'],
  [['vps', '8081x'], '8081x'],
  [['vps', 'web'], 'web'],
  [['vps', ':'], ':'],
  [['vps', '8081:'], '8081:'],
  [['vps', '8081:0'], '8081:0'],
  [['vps', '8081:localhost'], '8081:localhost'],
  [['vps', '8081:localhost:'], '8081:localhost:'],
  [['vps', '8081:localhost:http'], 'http'],
  [['vps', '8081::80'], '8081::80'],
  [['vps', '1:2:3:4:5'], '1:2:3:4:5'],
  [['vps', '::1:8080:localhost:80'], '::1:8080:localhost:80'],
  [['vps', '[::1:8080:localhost:80'], '[::1:8080:localhost:80'],
  [['vps', 'auto'], 'auto'],
  [['vps', 'auto:'], 'auto:'],
  [['vps', 'auto:auto'], 'auto:auto'],
  [['vps', '8080:auto'], '8080:auto'],
  [['vps', '*:8080'], '*:8080'],
  [['vps', '127.0.0.1:8080:80'], '127.0.0.1:8080:80'],
  [['vps', 'unix:'], 'unix:'],
  [['vps', '/'], '/'],
  [['vps', '8080:/srv/app/'], '/srv/app/'],
  [['vps', `8080:/${'x'.repeat(200)}`], 'xxx'],
  [['vps', '8081\n'], '8081\\'],
  [['vps', '8081', '8081:3000'], '8081:3000'],
  [['vps', '8081', '-L8081:localhost:80'], '8081:80'],
  [['vps', '8081', '*:8081:localhost:80'], '*:8081'],
  [['vps', './a.sock:80', 'a.sock:/srv/b.sock', './a.sock:81'], 'a.sock'],
  [['vps', '-L', '8081x'], '8081x'],
];

const flags: Case[] = [
  [['-z', 'vps', '8081'], '-z'],
  [['-Nz', 'vps', '8081'], '-z'],
  [['--jsno', 'vps', '8081'], '--json'],
  [['--no-json', 'vps', '8081'], '--no-json'],
  [['--__proto__', 'vps', '8081'], '--__proto__'],
  [['--json=yes', 'vps', '8081'], '"yes"'],
  [['-A', 'vps', '8081'], '-A'],
  [['-R', '8081:localhost:', 'vps'], '8081:localhost:'],
  [['-D1080:80:80', 'vps', '8081'], '1080:80:80'],
  [['-NT', 'vps', '8081'], '-T'],
  [['vps', '8081', '-p'], '-p'],
  [['-p', '', 'vps', '8081'], '-p'],
  [['-p', '0', 'vps', '8081'], '"0"'],
  [['-p', '65536', 'vps', '8081'], '65536'],
  [['-p', 'ssh', 'vps', '8081'], '"ssh"'],
  [['-p22', '-pssh', 'vps', '8081'], '"ssh"'],
  [['-p', '-1', 'vps', '8081'], '"-1"'],
  [['-l', '-x', 'vps', '8081'], '-x'],
  [['-l', 'de ploy', 'vps', '8081'], 'de ploy'],
  [['-J', 'a', '-J', 'b', 'vps', '8081'], 'a,b'],
  [['-J', 'a,,b', 'vps', '8081'], '""'],
  [['-J', 'a:port', 'vps', '8081'], 'a:port'],
  [['-o', 'Port', 'vps', '8081'], 'Port'],
  [['-o', '=22', 'vps', '8081'], '=22'],
  [['-o', 'Port=', 'vps', '8081'], 'Port='],
  [['-o', 'Port=22\nProxyCommand=id', 'vps', '8081'], 'Port=22'],
  [['-i', '', 'vps', '8081'], '-i'],
];

const commands: Case[] = [
  [['scan'], 'tunnel scan HOST'],
  [['scan', '8081'], '8081'],
  [['scan', 'vps', '8081'], '8081'],
  [['scan', 'vps', 'other'], 'other'],
  [['scan', 'vps', '-L', '8081'], '--forward'],
  [['scan', 'vps', '-d'], '--detach'],
  [['scan', 'v ps'], 'v ps'],
  [['doctor', '8081'], 'tunnel doctor HOST 8081'],
  [['doctor', 'vps', '0'], '"0"'],
  [['doctor', '-L', '8081'], 'tunnel doctor HOST 8081'],
  [['doctor', 'vps', '-d'], '--detach'],
  [['exec'], 'command'],
  [['exec', 'vps', '8081'], 'tunnel exec vps 8081 --'],
  [['exec', 'vps', '8081', '--'], 'after --'],
  [['exec', 'vps', '8081', '--', ''], 'after --'],
  [['exec', '--', 'true'], 'tunnel exec HOST'],
  [['exec', 'vps', '0', '--', 'true'], '"0"'],
  [['exec', 'vps', '8081', '--json', '--', 'true'], '--json'],
  [['exec', 'vps', '8081', '-d', '--', 'true'], '--detach'],
];

suite(
  'a wrong command line ends with status 2 and a sentence',
  { concurrency: availableParallelism() * 2 },
  () => {
    for (const [args, named] of [...hosts, ...specs, ...flags, ...commands]) {
      test(`tunnel ${JSON.stringify(args)}`, async () => {
        const { status, stdout, stderr } = await runTunnel(args);
        assert.equal(status, 2, stderr);
        assert.equal(stdout, '');
        assert.match(
          stderr,
          /^✖ \P{Cc}{12,}\n( {2}\P{Cc}+\n)*$/u,
          'a line that says what is wrong, and hints',
        );
        assert.ok(stderr.includes(named), `${named} is not in: ${stderr}`);
        assert.doesNotMatch(stderr, /Internal error|\n\s+at /);
      });
    }
  },
);
