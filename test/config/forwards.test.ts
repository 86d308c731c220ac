import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configuredForwards, isOn, permitsRemoteOpen, withGatewayPorts } from '../../src/config/forwards.ts';
import type { HostSettings, SshFlags } from '../../src/config/settings.ts';
import { resolveSettings } from '../../src/config/ssh-config.ts';
import { UsageError } from '../../src/errors.ts';
import { parseDynamicSpec, parseRemoteSpec, parseSpec } from '../../src/parse-spec.ts';
import type { ForwardSpec } from '../../src/spec.ts';
import { on, tcp, unix } from '../spec-readings.ts';
import { SOURCES, write } from './config-files.ts';

/** Every form of ssh_config(5), in the order in which they are opened. */
const lines: readonly (readonly [line: string, spec: ForwardSpec])[] = [
  ['LocalForward 8080 localhost:80', { kind: 'local', listen: on(8080), connect: tcp('localhost', 80) }],
  [
    'LocalForward localhost:8081 h:81',
    { kind: 'local', listen: on(8081, 'localhost'), connect: tcp('h', 81) },
  ],
  [
    'LocalForward 127.0.0.1:8082 h:82',
    { kind: 'local', listen: on(8082, '127.0.0.1'), connect: tcp('h', 82) },
  ],
  ['LocalForward [::1]:8083 [::1]:83', { kind: 'local', listen: on(8083, '::1'), connect: tcp('::1', 83) }],
  ['LocalForward *:8084 h:84', { kind: 'local', listen: on(8084, '*'), connect: tcp('h', 84) }],
  ['LocalForward :8085 h:85', { kind: 'local', listen: on(8085, '*'), connect: tcp('h', 85) }],
  ['LocalForward 8086 /there.sock', { kind: 'local', listen: on(8086), connect: unix('/there.sock') }],
  [
    'LocalForward [::1]:8087 /%h.sock',
    { kind: 'local', listen: on(8087, '::1'), connect: unix('/vps.sock') },
  ],
  ['LocalForward /a.sock h:80', { kind: 'local', listen: unix('/a.sock'), connect: tcp('h', 80) }],
  [
    'LocalForward /b.sock /there.sock',
    { kind: 'local', listen: unix('/b.sock'), connect: unix('/there.sock') },
  ],
  ['LocalForward ./c.sock ./d.sock', { kind: 'local', listen: unix('./c.sock'), connect: unix('./d.sock') }],
  [
    String.raw`LocalForward /a\:b.sock /c\:d.sock`,
    { kind: 'local', listen: unix('/a:b.sock'), connect: unix('/c:d.sock') },
  ],
  [
    'LocalForward "/my app/a.sock" "/your app/b.sock"',
    { kind: 'local', listen: unix('/my app/a.sock'), connect: unix('/your app/b.sock') },
  ],
  [
    'LocalForward 8088 "/your app/b.sock"',
    { kind: 'local', listen: on(8088), connect: unix('/your app/b.sock') },
  ],
  [
    'LocalForward "/my app/c.sock" h:80',
    { kind: 'local', listen: unix('/my app/c.sock'), connect: tcp('h', 80) },
  ],
  ['RemoteForward 9000 localhost:80', { kind: 'remote', listen: on(9000), connect: tcp('localhost', 80) }],
  ['RemoteForward 0 localhost:80', { kind: 'remote', listen: on('auto'), connect: tcp('localhost', 80) }],
  ['RemoteForward *:0 h:80', { kind: 'remote', listen: on('auto', '*'), connect: tcp('h', 80) }],
  ['RemoteForward *:9001 h:80', { kind: 'remote', listen: on(9001, '*'), connect: tcp('h', 80) }],
  ['RemoteForward :9002 h:80', { kind: 'remote', listen: on(9002, '*'), connect: tcp('h', 80) }],
  ['RemoteForward [::1]:9003 [::1]:80', { kind: 'remote', listen: on(9003, '::1'), connect: tcp('::1', 80) }],
  ['RemoteForward 9004 /here.sock', { kind: 'remote', listen: on(9004), connect: unix('/here.sock') }],
  [
    'RemoteForward /a.sock /here.sock',
    { kind: 'remote', listen: unix('/a.sock'), connect: unix('/here.sock') },
  ],
  ['RemoteForward /b.sock h:80', { kind: 'remote', listen: unix('/b.sock'), connect: tcp('h', 80) }],
  ['RemoteForward 1080', { kind: 'remote', listen: on(1080), connect: 'socks' }],
  ['RemoteForward 0', { kind: 'remote', listen: on('auto'), connect: 'socks' }],
  ['RemoteForward 127.0.0.1:1081', { kind: 'remote', listen: on(1081, '127.0.0.1'), connect: 'socks' }],
  ['RemoteForward *:1082', { kind: 'remote', listen: on(1082, '*'), connect: 'socks' }],
  ['RemoteForward :1083', { kind: 'remote', listen: on(1083, '*'), connect: 'socks' }],
  ['RemoteForward "/my app/s.sock"', { kind: 'remote', listen: unix('/my app/s.sock'), connect: 'socks' }],
  ['DynamicForward 1084', { kind: 'dynamic', listen: on(1084) }],
  ['DynamicForward localhost:1085', { kind: 'dynamic', listen: on(1085, 'localhost') }],
  ['DynamicForward 127.0.0.1:1086', { kind: 'dynamic', listen: on(1086, '127.0.0.1') }],
  ['DynamicForward [::1]:1087', { kind: 'dynamic', listen: on(1087, '::1') }],
  ['DynamicForward *:1088', { kind: 'dynamic', listen: on(1088, '*') }],
  ['DynamicForward :1089', { kind: 'dynamic', listen: on(1089, '*') }],
  ['DynamicForward /e.sock', { kind: 'dynamic', listen: unix('/e.sock') }],
  ['DynamicForward "/my app/d.sock"', { kind: 'dynamic', listen: unix('/my app/d.sock') }],
];

for (const { source, env, skip } of SOURCES) {
  const settingsOf = (flags: SshFlags): Promise<HostSettings> =>
    resolveSettings({ host: 'vps' }, { configFile: 'none', ...flags }, { env });

  test(
    `each form of a forward in ssh_config means what it means to ssh, with ${source}`,
    { skip },
    async () => {
      const configFile = write({ config: lines.map(([line]) => `${line}\n`).join('') });
      const found = configuredForwards(await settingsOf({ configFile }));
      assert.deepEqual(
        found,
        lines.map(([, spec]) => spec),
      );
    },
  );

  test(`forwards of -o come before those of the file, with ${source}`, { skip }, async () => {
    const configFile = write({ config: 'LocalForward 8081 localhost:81\n' });
    const settings = await settingsOf({ configFile, options: ['LocalForward=8080 localhost:80'] });
    assert.deepEqual(configuredForwards(settings), [parseSpec('8080:80'), parseSpec('8081:81')]);
  });

  test(`no forwards are configured where there are no lines, with ${source}`, { skip }, async () => {
    assert.deepEqual(configuredForwards(await settingsOf({})), []);
  });

  test(`a line that ssh takes and we do not is refused with its key, with ${source}`, { skip }, async () => {
    const refused = [
      ['RemoteForward 9000:3000', 'RemoteForward "[9000]:3000": 9000 is not a host name'],
      ['LocalForward 8080 /srv/', 'LocalForward "8080:/srv/": "/srv/" is a folder'],
      ['DynamicForward 1.2.3:1080', 'DynamicForward "[1.2.3]:1080": 1.2.3 is not a host name'],
    ] as const;
    for (const [config, message] of refused) {
      const settings = await settingsOf({ configFile: write({ config }) });
      assert.throws(
        () => configuredForwards(settings),
        (error) => {
          assert.ok(error instanceof UsageError, String(error));
          assert.equal(error.code, 'ssh-config');
          assert.ok(error.message.startsWith(message), error.message);
          assert.ok(error.hint.length > 0, 'it has a next step');
          return true;
        },
      );
    }
  });

  test(
    `an option is on that says yes, and off that says no or nothing, with ${source}`,
    { skip },
    async () => {
      const settings = await settingsOf({ options: ['GatewayPorts=yes', 'ExitOnForwardFailure=no'] });
      assert.equal(isOn(settings, 'gatewayports'), true);
      assert.equal(isOn(settings, 'exitonforwardfailure'), false);
      assert.equal(isOn(settings, 'clearallforwardings'), false);
      assert.equal(isOn(settings, 'nosuchoption'), false);
    },
  );

  /** What PermitRemoteOpen lets through and what it does not. */
  const permissions: readonly (readonly [
    value: string | undefined,
    permitted: string[],
    refused: string[],
  ])[] = [
    [undefined, ['h:80', '::1 443'], []],
    ['any', ['h:80', '::1 443', '127.0.0.1:1'], []],
    ['none', [], ['h:80', 'none:80', '::1 443', '127.0.0.1:1']],
    ['h:80', ['h:80', 'H:80'], ['h:81', 'h:8', 'h:800', 'xh:80', 'h.example:80', '127.0.0.1:80']],
    ['h:*', ['h:80', 'h:65535'], ['g:80', '*:80']],
    ['*:80', ['h:80', '127.0.0.1:80', '::1 80'], ['h:81', '::1 81']],
    ['*:*', ['h:80', '::1 65535'], []],
    ['[::1]:80', ['::1 80'], ['::1 81', '::2 80', 'h:80', '127.0.0.1:80']],
    ['[::1]:*', ['::1 80', '::1 81'], ['::2 80', 'h:80']],
    ['127.0.0.1:80', ['127.0.0.1:80'], ['127.0.0.2:80', '127x0.0.1:80', 'localhost:80']],
    ['a:1 b:2 [::1]:*', ['a:1', 'b:2', '::1 3'], ['a:2', 'b:1', 'c:1']],
  ];

  test(`PermitRemoteOpen lets through what ssh_config(5) says, with ${source}`, { skip }, async () => {
    for (const [value, permitted, refused] of permissions) {
      const settings = await settingsOf(
        value === undefined ? {} : { options: [`PermitRemoteOpen ${value}`] },
      );
      for (const place of [...permitted, ...refused]) {
        const [, host = '', port = ''] = /^(.*)[: ](\d+)$/.exec(place) ?? [];
        const expected = permitted.includes(place);
        assert.equal(permitsRemoteOpen(settings, host, Number(port)), expected, `${value}: ${place}`);
      }
    }
  });
}

test('gateway ports open what has no bind address to everyone, and leave the rest as it is', () => {
  const opened: readonly (readonly [ForwardSpec, ForwardSpec])[] = [
    [parseSpec('8080:80'), parseSpec('*:8080:localhost:80')],
    [parseSpec('auto:80'), parseSpec('*:auto:localhost:80')],
    [parseSpec('/srv/app.sock'), parseSpec('*:auto:/srv/app.sock')],
    [parseDynamicSpec('1080'), parseDynamicSpec('*:1080')],
  ];
  for (const [before, after] of opened) assert.deepEqual(withGatewayPorts(before), after);
  const kept = [
    parseSpec('localhost:8080:h:80'),
    parseSpec('127.0.0.1:8080:h:80'),
    parseSpec('[::1]:8080:h:80'),
    parseSpec('*:8080:h:80'),
    parseSpec('./a.sock:80'),
    parseDynamicSpec('127.0.0.1:1080'),
    parseDynamicSpec('./socks.sock'),
    parseRemoteSpec('9000:localhost:80'),
    parseRemoteSpec('1080'),
  ];
  for (const spec of kept) assert.deepEqual(withGatewayPorts(spec), spec);
});
