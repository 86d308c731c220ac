import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDynamicSpec, parseRemoteSpec, parseSpec } from '../../src/parse-spec.ts';
import type { Forward } from '../../src/forward/forward.ts';
import type { ForwardSpec } from '../../src/spec.ts';
import { exposure } from '../../src/session/exposure.ts';

function opened(spec: ForwardSpec, bound = spec.listen): Pick<Forward, 'spec' | 'bound'> {
  return { spec, bound: [bound] };
}

test('what listens on loopback or on a socket is nobody else’s', () => {
  const specs = [
    parseSpec('8080'),
    parseSpec('auto:80'),
    parseSpec('localhost:8080:h:80'),
    parseSpec('127.0.0.1:8080:h:80'),
    parseSpec('127.0.0.2:8080:h:80'),
    parseSpec('[::1]:8080:h:80'),
    parseSpec('./a.sock:80'),
    parseDynamicSpec('1080'),
    parseDynamicSpec('./socks.sock'),
    parseRemoteSpec('9000:localhost:80'),
    parseRemoteSpec('1080'),
    parseRemoteSpec('127.0.0.1:0'),
    parseRemoteSpec('/there.sock:/here.sock'),
  ];
  for (const spec of specs) assert.equal(exposure(opened(spec), 'vps'), undefined, JSON.stringify(spec));
});

test('a name that only begins like a loopback address is one that others may reach', () => {
  assert.ok(exposure(opened(parseSpec('127.example:8080:h:80')), 'vps') !== undefined);
});

test('what listens here for everyone is said to be on this machine', () => {
  const rights = 'with your rights on the other side';
  assert.equal(
    exposure(opened(parseSpec('*:8080:h:80')), 'vps'),
    `Everyone who can reach this machine can use port 8080, ${rights}.`,
  );
  assert.equal(
    exposure(opened(parseDynamicSpec('10.0.0.1:1080')), 'vps'),
    `Everyone who can reach 10.0.0.1 of this machine can use port 1080, ${rights}.`,
  );
});

test('what listens there for everyone is said to be on the remote, if its sshd lets it', () => {
  const consequence = 'with your rights on the other side, if GatewayPorts in its sshd_config lets it';
  assert.equal(
    exposure(opened(parseRemoteSpec('*:9000:h:80')), 'vps'),
    `Everyone who can reach vps can use port 9000, ${consequence}.`,
  );
  assert.equal(
    exposure(opened(parseRemoteSpec('10.0.0.1:1080')), 'vps'),
    `Everyone who can reach 10.0.0.1 of vps can use port 1080, ${consequence}.`,
  );
});

test('a port that the server chose is named, not that it may choose', () => {
  const forward = opened(parseRemoteSpec('*:0:localhost:80'), { kind: 'tcp', host: '*', port: 40123 });
  assert.match(exposure(forward, 'vps') ?? '', /can use port 40123,/);
});
