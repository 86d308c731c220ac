import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { LocalEnvironment } from '../../src/config/local-environment.ts';
import { expandOption, tokensOf, type ExpandedOption } from '../../src/config/tokens.ts';
import { UsageError } from '../../src/errors.ts';

const LOCAL: LocalEnvironment = {
  env: { NAME: 'value', PERCENT: '%h' },
  home: '/home/me',
  user: 'me',
  uid: 1000,
  hostname: 'laptop.lan',
  directory: '/work',
  systemDirectory: '/etc/ssh',
  hasAccount: true,
};
const TOKENS = tokensOf(
  { alias: 'vps', hostname: 'web.example.com', port: '2222', user: 'deploy', jumpHost: 'bastion' },
  LOCAL,
);
const HASH = createHash('sha1').update('laptop.lanweb.example.com2222deploybastion').digest('hex');

const EXPANDED: readonly (readonly [option: ExpandedOption, value: string, expanded: string])[] = [
  [
    'IdentityFile',
    '%%|%C|%d|%h|%i|%j|%k|%L|%l|%n|%p|%r|%u',
    `%|${HASH}|/home/me|web.example.com|1000|bastion|vps|laptop|laptop.lan|vps|2222|deploy|me`,
  ],
  ['IdentityFile', '~', '/home/me/'],
  ['IdentityFile', '~/key', '/home/me/key'],
  ['IdentityFile', '~//key', '/home/me/key'],
  ['IdentityFile', '~me/key', '/home/me/key'],
  ['IdentityFile', '/a/~/b', '/a/~/b'],
  ['IdentityFile', '/${NAME}/%u', '/value/me'],
  ['IdentityFile', '/${PERCENT}', '/%h'],
  ['IdentityFile', '/$NAME', '/$NAME'],
  ['IdentityFile', '/%%h', '/%h'],
  ['ControlPath', '~/.ssh/%C', `/home/me/.ssh/${HASH}`],
  ['GlobalKnownHostsFile', '~/%h/${NAME}', '/home/me/%h/${NAME}'],
  ['Hostname', '%h.lan', 'web.example.com.lan'],
  ['ProxyCommand', 'nc ~/x %h %p %r %n %k ${NAME}', 'nc ~/x web.example.com 2222 deploy vps vps ${NAME}'],
  ['LocalForward', '/run/%u.sock', '/run/me.sock'],
];

for (const [option, value, expanded] of EXPANDED) {
  test(`${option} ${value} is ${expanded}`, () => {
    assert.equal(expandOption(option, value, TOKENS, LOCAL), expanded);
  });
}

const REFUSED: readonly (readonly [option: ExpandedOption, value: string, named: RegExp])[] = [
  ['IdentityFile', '/%z', /no %z/],
  ['IdentityFile', '/%', /no % /],
  ['IdentityFile', '/%H', /no %H/],
  ['Hostname', '%p', /no %p/],
  ['ProxyCommand', 'nc %d', /no %d/],
  ['ProxyJump', '%C', /no %C/],
  ['IdentityFile', '/${NOT_SET}', /NOT_SET/],
  ['IdentityFile', '/${NAME', /"}"/],
  ['IdentityFile', '/${}', /name/],
  ['IdentityFile', '~you/key', /home of you/],
];

for (const [option, value, named] of REFUSED) {
  test(`${option} ${value} is refused with ${named.source}`, () => {
    assert.throws(
      () => expandOption(option, value, TOKENS, LOCAL),
      (error) =>
        error instanceof UsageError &&
        error.code === 'ssh-config' &&
        error.message.startsWith(`${option} ${value}: `) &&
        named.test(error.message),
    );
  });
}
