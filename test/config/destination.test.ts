import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDestination, parseDestination } from '../../src/config/destination.ts';
import type { Destination } from '../../src/config/settings.ts';
import { UsageError } from '../../src/errors.ts';

const GOOD: readonly (readonly [text: string, destination: Destination])[] = [
  ['vps', { host: 'vps' }],
  ['VPS.Example.com', { host: 'VPS.Example.com' }],
  ['deploy@vps', { host: 'vps', user: 'deploy' }],
  ['vps:2222', { host: 'vps', port: 2222 }],
  ['deploy@vps:2222', { host: 'vps', user: 'deploy', port: 2222 }],
  ['vps:1', { host: 'vps', port: 1 }],
  ['vps:65535', { host: 'vps', port: 65_535 }],
  ['vps:022', { host: 'vps', port: 22 }],
  ['203.0.113.7', { host: '203.0.113.7' }],
  ['203.0.113.7:22', { host: '203.0.113.7', port: 22 }],
  ['[203.0.113.7]:22', { host: '203.0.113.7', port: 22 }],
  ['::1', { host: '::1' }],
  ['2001:db8::7', { host: '2001:db8::7' }],
  ['fe80::1%eth0', { host: 'fe80::1%eth0' }],
  ['deploy@2001:db8::7', { host: '2001:db8::7', user: 'deploy' }],
  ['[::1]', { host: '::1' }],
  ['[::1]:2222', { host: '::1', port: 2222 }],
  ['user@[::1]:2222', { host: '::1', user: 'user', port: 2222 }],
  ['[vps]:22', { host: 'vps', port: 22 }],
  ['me@corp.example@vps', { host: 'vps', user: 'me@corp.example' }],
  ['CORP\\me@vps', { host: 'vps', user: 'CORP\\me' }],
  ['web-1_a.internal', { host: 'web-1_a.internal' }],
  ['team/vps', { host: 'team/vps' }],
  ['bücher.example', { host: 'bücher.example' }],
  ['ssh://vps', { host: 'vps' }],
  ['SSH://vps', { host: 'vps' }],
  ['ssh://vps/', { host: 'vps' }],
  ['ssh://deploy@vps', { host: 'vps', user: 'deploy' }],
  ['ssh://deploy@vps:2222', { host: 'vps', user: 'deploy', port: 2222 }],
  ['ssh://deploy@vps:2222/', { host: 'vps', user: 'deploy', port: 2222 }],
  ['ssh://me%40corp.example@vps', { host: 'vps', user: 'me@corp.example' }],
  ['ssh://j%C3%BCrgen@vps', { host: 'vps', user: 'jürgen' }],
  ['ssh://a+b@vps', { host: 'vps', user: 'a+b' }],
  ['ssh://[::1]', { host: '::1' }],
  ['ssh://deploy@[2001:db8::7]:2222', { host: '2001:db8::7', user: 'deploy', port: 2222 }],
  ['ssh://[fe80::1%25eth0]:22', { host: 'fe80::1%eth0', port: 22 }],
];

for (const [text, destination] of GOOD) {
  test(`"${text}" is read as ${JSON.stringify(destination)}`, () => {
    assert.deepEqual(parseDestination(text), destination);
  });
}

test('what is formatted is read back as it was', () => {
  for (const [, destination] of GOOD) {
    assert.deepEqual(parseDestination(formatDestination(destination)), destination);
  }
});

const BAD: readonly (readonly [text: string, reason: RegExp])[] = [
  ['', /host is missing/],
  ['@vps', /user before "@" is missing/],
  ['deploy@', /host is missing/],
  ['@', /host is missing/],
  [':22', /host is missing/],
  ['deploy@:22', /host is missing/],
  ['[]', /host is missing/],
  ['[]:22', /host is missing/],
  ['-oProxyCommand=id', /does not begin with "-"/],
  ['-vps', /host does not begin with "-"/],
  ['deploy@-vps', /host does not begin with "-"/],
  ['[-vps]:22', /host does not begin with "-"/],
  ['-deploy@vps', /user does not begin with "-"/],
  ['/srv/app.sock', /that is a path/],
  ['v ps', /host has no " "/],
  [' vps', /host has no " "/],
  ['vps\n', /host has no "\\n"/],
  ['vps\t', /host has no "\\t"/],
  ['vps\u0000', /host has no "\\u0000"/],
  ['vps\u001b[31m', /brackets/],
  ['vps\u007f', /host has no/],
  ['vps;id', /host has no ";"/],
  ['vps|id', /host has no "\|"/],
  ['vps&', /host has no "&"/],
  ['$(id)', /host has no "\$"/],
  ['`id`', /host has no "`"/],
  ["vps'", /host has no "'"/],
  ['vps"', /host has no/],
  ['v\\ps', /host has no/],
  ['vps<x', /host has no "<"/],
  ['vps>x', /host has no ">"/],
  ['(vps)', /host has no "\("/],
  ['{vps}', /host has no "\{"/],
  ['a,b', /host has no ","/],
  ['de ploy@vps', /user has no " "/],
  ['de;ploy@vps', /user has no ";"/],
  ['$(id)@vps', /user has no "\("/],
  ['`id`@vps', /user has no "`"/],
  ["o'neil@vps", /user has no "'"/],
  ['de\u0007ploy@vps', /user has no "\\u0007"/],
  ['deploy\\@vps', /user has no/],
  ['vps:0', /"0" is not a port/],
  ['vps:65536', /"65536" is not a port/],
  ['vps:99999999', /"99999999" is not a port/],
  ['vps:-1', /"-1" is not a port/],
  ['vps:+22', /"\+22" is not a port/],
  ['vps:22x', /"22x" is not a port/],
  ['vps:0x16', /"0x16" is not a port/],
  ['vps:1e3', /"1e3" is not a port/],
  ['vps:2 2', /"2 2" is not a port/],
  ['vps:', /port after ":" is missing/],
  ['[::1]:', /port after ":" is missing/],
  ['[::1]:0', /"0" is not a port/],
  ['[::1', /brackets/],
  ['::1]:22', /brackets/],
  ['[::1]22', /brackets/],
  ['a[::1]:22', /brackets/],
  ['localhost:8081:80', /too many colons/],
  ['1:2:3', /too many colons/],
  ['http://vps', /"http" is not a protocol/],
  ['scp://vps', /"scp" is not a protocol/],
  ['ssh://', /host is missing/],
  ['ssh:///', /host is missing/],
  ['ssh://@vps', /user before "@" is missing/],
  ['ssh://vps:0', /"0" is not a port/],
  ['ssh://vps/srv', /no path, query or fragment/],
  ['ssh://vps?x=1', /no path, query or fragment/],
  ['ssh://vps#x', /no path, query or fragment/],
  ['ssh://%ZZ@vps', /hexadecimal/],
  ['ssh://%FF@vps', /hexadecimal/],
  ['ssh://a%20b@vps', /user has no " "/],
  ['ssh://%2Dx@vps', /user does not begin with "-"/],
  ['ssh://a%0Ab@vps', /user has no "\\n"/],
  ['ssh://-vps', /host does not begin with "-"/],
];

for (const [text, reason] of BAD) {
  test(`${JSON.stringify(text)} is refused with ${reason.source}`, () => {
    assert.throws(
      () => parseDestination(text),
      (error) => {
        assert.ok(error instanceof UsageError);
        assert.equal(error.code, 'bad-destination');
        assert.equal(error.exitStatus, 2);
        assert.match(error.message, reason);
        assert.ok(error.message.startsWith(JSON.stringify(text)), 'it names the word');
        assert.ok(error.hint.length > 0, 'it says what would be right');
        return true;
      },
    );
  });
}

for (const text of [
  'ssh://deploy:hunter2@vps',
  'ssh://deploy:hunter2@vps:22',
  'ssh://deploy:hunt/er2@vps',
  'ssh://:hunter2@vps',
  'http://deploy:hunter2@vps',
]) {
  test(`a password in "${text}" is refused and not repeated`, () => {
    assert.throws(
      () => parseDestination(text),
      (error) =>
        error instanceof UsageError &&
        /password|protocol/.test(error.message) &&
        !/hunt|er2/.test(error.message),
    );
  });
}
