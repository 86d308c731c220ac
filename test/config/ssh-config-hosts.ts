import { HOME, USER } from './config-files.ts';
import { explicit, type Case } from './ssh-config-case.ts';

/** How files are read and which of their lines count. */
export const HOST_CASES: readonly Case[] = [
  {
    name: 'an empty file leaves the defaults',
    config: '',
    expect: {
      alias: 'vps',
      hostname: 'vps',
      port: 22,
      user: USER,
      addressFamily: 'any',
      connectionAttempts: 1,
      tcpKeepAlive: true,
      identityFiles: ['rsa', 'ecdsa', 'ecdsa_sk', 'ed25519', 'ed25519_sk', 'xmss', 'dsa'].map((type) => ({
        path: `${HOME}/.ssh/id_${type}`,
        explicit: false,
      })),
      identitiesOnly: false,
      identityAgent: '/run/agent.sock',
      batchMode: false,
      numberOfPasswordPrompts: 3,
      preferredAuthentications: ['publickey', 'keyboard-interactive', 'password'],
      userKnownHostsFiles: [`${HOME}/.ssh/known_hosts`, `${HOME}/.ssh/known_hosts2`],
      globalKnownHostsFiles: ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'],
      strictHostKeyChecking: 'ask',
      hashKnownHosts: false,
      serverAliveInterval: 0,
      serverAliveCountMax: 3,
      compression: false,
      proxyJump: [],
    },
    absent: [
      'bindAddress',
      'connectTimeout',
      'hostKeyAlias',
      'ciphers',
      'macs',
      'kexAlgorithms',
      'hostKeyAlgorithms',
      'proxyCommand',
    ],
  },
  {
    name: 'HostName, Port and User of the Host that is asked for',
    config: 'Host vps\n  HostName 203.0.113.7\n  Port 2222\n  User deploy\nHost other\n  Port 1\n',
    expect: { alias: 'vps', hostname: '203.0.113.7', port: 2222, user: 'deploy' },
  },
  {
    name: 'nothing of a Host that is not asked for',
    config: 'Host other\n  Port 2222\n',
    expect: { port: 22 },
  },
  {
    name: 'the first value wins, also over a later and better match',
    config: 'Port 1\nHost *\n  Port 2\nHost vps\n  Port 3\n',
    expect: { port: 1 },
  },
  {
    name: 'a later block adds what the first one does not say',
    config: 'Host vps\n  Port 2222\nHost *\n  Port 22\n  User all\n',
    expect: { port: 2222, user: 'all' },
  },
  {
    name: 'lines before the first Host are for every host',
    config: 'User everyone\nHost vps\n  User deploy\n',
    expect: { user: 'everyone' },
  },
  {
    name: 'several patterns in one Host line',
    config: 'Host web db vps\n  Port 2222\n',
    expect: { port: 2222 },
  },
  {
    name: '"*" in a pattern is any number of characters',
    host: 'web.example.com',
    config: 'Host *.example.com\n  Port 2222\n',
    expect: { port: 2222 },
  },
  {
    name: '"*" may be nothing',
    config: 'Host vps*\n  Port 2222\n',
    expect: { port: 2222 },
  },
  {
    name: '"?" in a pattern is one character and not none',
    config: 'Host vps?\n  Port 1\nHost vp?\n  Port 2222\n',
    expect: { port: 2222 },
  },
  {
    name: 'a dot in a pattern is a dot',
    host: 'webxexample',
    config: 'Host web.example\n  Port 2222\n',
    expect: { port: 22 },
  },
  {
    name: 'brackets in a pattern have no meaning',
    host: 'web1',
    config: 'Host web[0-9]\n  Port 2222\n',
    expect: { port: 22 },
  },
  {
    name: 'a negated pattern that matches skips the block',
    host: 'db.example.com',
    config: 'Host *.example.com !db.example.com\n  Port 2222\n',
    expect: { port: 22 },
  },
  {
    name: 'a negated pattern that matches counts before the others as well',
    host: 'db.example.com',
    config: 'Host !db.* *.example.com\n  Port 2222\n',
    expect: { port: 22 },
  },
  {
    name: 'a negated pattern alone never matches',
    config: 'Host !other\n  Port 2222\n',
    expect: { port: 22 },
  },
  {
    name: 'Host patterns regard case',
    host: 'VPS',
    config: 'Host vps\n  Port 1\nHost VPS\n  Port 2222\n',
    expect: { alias: 'VPS', hostname: 'vps', port: 2222 },
  },
  {
    name: 'a name without HostName is put in lower case',
    host: 'VPS.Example.COM',
    config: '',
    expect: { alias: 'VPS.Example.COM', hostname: 'vps.example.com' },
  },
  {
    name: 'Host patterns are for the name as written and not for HostName',
    config: 'Host vps\n  HostName web.example.com\nHost web.*\n  Port 2222\n',
    expect: { hostname: 'web.example.com', port: 22 },
  },
  {
    name: 'a Host pattern in quotes',
    config: 'Host "vps" other\n  Port 2222\n',
    expect: { port: 2222 },
  },
  {
    name: 'keywords in any case',
    config: 'HOST vps\n  hostname 203.0.113.7\n  pOrT 2222\n',
    expect: { hostname: '203.0.113.7', port: 2222 },
  },
  { name: 'Key=value', config: 'Host=vps\nPort=2222\nUser=deploy\n', expect: { port: 2222, user: 'deploy' } },
  { name: 'Key = value', config: 'Port = 2222\nUser\t=\tdeploy\n', expect: { port: 2222, user: 'deploy' } },
  { name: 'tabs and spaces around', config: '\t Port \t 2222 \t \n', expect: { port: 2222 } },
  { name: 'lines that end as on Windows', config: 'Host vps\r\n  Port 2222\r\n\r\n', expect: { port: 2222 } },
  { name: 'a last line without its end', config: 'Host vps\n  Port 2222', expect: { port: 2222 } },
  {
    name: 'comments, also at the end of a line',
    config: '# Port 1\n   # Port 2\nPort 2222 # Port 3\nUser deploy#ment\n',
    expect: { port: 2222, user: 'deploy#ment' },
  },
  {
    name: 'values in quotes of both kinds',
    config: `IdentityFile "/keys/my key"\nIdentityFile '/keys/other key'\nUser "deploy"\n`,
    expect: { ...explicit('/keys/my key', '/keys/other key'), user: 'deploy' },
  },
  {
    name: 'quotes in the middle of a word, and escapes',
    config:
      'IdentityFile /keys/my" "key\nIdentityFile /keys/my\\ other\nIdentityFile "/keys/a\\"b"\nIdentityFile /keys/a\\b\n',
    expect: explicit('/keys/my key', '/keys/my other', '/keys/a"b', '/keys/a\\b'),
  },
  {
    name: 'a "#" in quotes is no comment',
    config: 'IdentityFile "/keys/#1"\n',
    expect: explicit('/keys/#1'),
  },
  {
    name: 'identity files of all blocks that match, in order and once each',
    config:
      'Host vps\n  IdentityFile /keys/a\n  IdentityFile /keys/b\nHost *\n  IdentityFile /keys/a\n  IdentityFile /keys/c\nHost other\n  IdentityFile /keys/d\n',
    expect: explicit('/keys/a', '/keys/b', '/keys/c'),
  },
  {
    name: 'tokens in ProxyCommand, which keeps its quotes and what looks like a comment',
    config: 'HostName web\nPort 2222\nUser deploy\nProxyCommand  nc -X "5" %h %p # %r of %n\n',
    expect: { proxyCommand: 'nc -X "5" web 2222 # deploy of vps', proxyJump: [] },
  },
  {
    name: 'an IPv6 address that is asked for',
    host: '::1',
    config: 'Host ::1\n  Port 2222\n',
    expect: { port: 2222 },
  },

  { name: 'Match all', config: 'Match all\n  Port 2222\n', expect: { port: 2222 } },
  {
    name: 'Match host is for HostName and disregards case',
    config: 'HostName Web.example.com\nMatch host *.EXAMPLE.com\n  Port 2222\nMatch host vps\n  User wrong\n',
    expect: { port: 2222, user: USER },
  },
  {
    name: 'Match originalhost is for the name as written',
    config: 'HostName web.example.com\nMatch originalhost vps\n  Port 2222\n',
    expect: { port: 2222 },
  },
  {
    name: 'Match user is for the user as far as it is known',
    config: 'Match user deploy\n  Port 1\nHost vps\n  User deploy\nMatch user root,deploy\n  Port 2222\n',
    expect: { user: 'deploy', ...(USER === 'deploy' ? {} : { port: 2222 }) },
  },
  { name: 'Match localuser', config: `Match localuser ${USER}\n  Port 2222\n`, expect: { port: 2222 } },
  {
    name: 'all criteria of a Match have to hold',
    config: 'Match host vps user nobody-else\n  Port 1\nMatch originalhost vps host vps\n  Port 2222\n',
    expect: { port: 2222 },
  },
  {
    name: 'lists and negation in a Match',
    config: 'Match host !vps,*\n  Port 1\nMatch host a,b,v*\n  Port 2222\n',
    expect: { port: 2222 },
  },
  {
    name: 'a negated criterion',
    config: 'Match !host vps\n  Port 1\nMatch !host other\n  Port 2222\n',
    expect: { port: 2222 },
  },
  { name: 'Match with quotes and "="', config: 'Match host="vps"\n  Port 2222\n', expect: { port: 2222 } },
  {
    name: 'Match final after HostName is known',
    config: 'Match final host web.example.com\n  Port 2222\nHost vps\n  HostName web.example.com\n',
    expect: { hostname: 'web.example.com', port: 2222 },
  },
  {
    name: 'a Match ends at the next Host',
    config: 'Match host other\n  Port 1\nHost vps\n  Port 2222\n',
    expect: { port: 2222 },
  },
  {
    name: 'Match exec below criteria that do not hold',
    config: 'Match host other exec "exit 0"\n  Port 1\nMatch all\n  Port 2222\n',
    expect: { port: 2222 },
  },

  {
    name: 'Include of one file',
    config: 'Include DIR/more\nPort 1\n',
    files: { more: 'Port 2222\n' },
    expect: { port: 2222 },
  },
  {
    name: 'Include of several files and of patterns, sorted',
    config: 'Include DIR/first DIR/conf.d/*.conf\n',
    files: {
      first: 'User first\n',
      'conf.d/20.conf': 'Port 20\n',
      'conf.d/10.conf': 'Port 10\nUser ten\n',
      'conf.d/05.off': 'Port 5\n',
      'conf.d/.hidden.conf': 'Port 1\n',
    },
    expect: { port: 10, user: 'first' },
  },
  {
    name: 'Include with "?" and "[…]"',
    config: 'Include DIR/[a-b]? DIR/[!a-c]x\n',
    files: { b1: 'Port 2222\n', c1: 'User c\n', dx: 'ConnectionAttempts 2\n' },
    expect: { port: 2222, user: USER, connectionAttempts: 2 },
  },
  {
    name: 'Include of a file that is not there',
    config: 'Include DIR/none DIR/none/*\nPort 2222\n',
    expect: { port: 2222 },
  },
  {
    name: 'Include in a Host that matches',
    config: 'Host vps\n  Include DIR/more\n  User deploy\n',
    files: { more: 'Port 2222\n' },
    expect: { port: 2222, user: 'deploy' },
  },
  {
    name: 'Include in a Host that does not match, whatever Host it has',
    config: 'Host other\n  Include DIR/more\n',
    files: { more: 'Port 1\nHost vps\n  Port 2\nMatch all\n  Port 3\n' },
    expect: { port: 22 },
  },
  {
    name: 'a Host in an included file ends with it',
    config: 'Host vps\n  Include DIR/more\n  Port 2222\n',
    files: { more: 'Host other\n  User other\n' },
    expect: { port: 2222, user: USER },
  },
  {
    name: 'Include in an included file',
    config: 'Include DIR/a\n',
    files: { a: 'Include DIR/b\nUser a\n', b: 'Port 2222\nUser b\n' },
    expect: { port: 2222, user: 'b' },
  },

  {
    name: 'IgnoreUnknown skips what it names',
    config: 'IgnoreUnknown UseKeychain,Foo*\nUseKeychain yes\nFooBar x\nPort 2222\n',
    expect: { port: 2222 },
  },
  {
    name: 'options of former days under their former names',
    config: 'Protocol 2\nUseRoaming no\nKeepAlive no\nIdentityFile2 /keys/a\nDSAAuthentication yes\n',
    expect: { tcpKeepAlive: false, ...explicit('/keys/a') },
  },
];
