import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseDynamicSpec, parseRemoteSpec, parseSpec } from '../src/parse-spec.ts';
import {
  findConflict,
  formatFlag,
  formatListen,
  formatSpec,
  type Listen,
  listensCollide,
} from '../src/spec.ts';
import { dynamicReadings, localReadings, on, remoteReadings, unix } from './spec-readings.ts';

test('a spec is formatted in its shortest form', () => {
  for (const { text, spec, short } of [...localReadings, ...dynamicReadings, ...remoteReadings])
    assert.equal(formatSpec(spec), short, `${spec.kind} ${text}`);
});

test('a flag is the spec after its letter, and a local forward needs none', () => {
  assert.equal(formatFlag(parseSpec('8080:localhost:80')), '8080:80');
  assert.equal(formatFlag(parseDynamicSpec('1080')), '-D 1080');
  assert.equal(formatFlag(parseRemoteSpec('9000:3000')), '-R 9000:localhost:3000');
  assert.equal(formatFlag(parseRemoteSpec('0')), '-R auto');
});

test('a place to listen is formatted as it is read', () => {
  const places: readonly (readonly [Listen, string])[] = [
    [on(80), '80'],
    [on('auto'), 'auto'],
    [on(80, '*'), '*:80'],
    [on(80, '::1'), '[::1]:80'],
    [on(80, 'auto'), '[auto]:80'],
    [unix('./a:b.sock'), String.raw`./a\:b.sock`],
  ];
  for (const [listen, text] of places) {
    assert.equal(formatListen(listen), text);
    assert.deepEqual(parseDynamicSpec(text).listen, listen);
  }
});

test('listening twice on one port collides where the addresses overlap', () => {
  const collisions: readonly (readonly [Listen, Listen, boolean])[] = [
    [on(80), on(80), true],
    [on(80), on(81), false],
    [on(80), on(80, '127.0.0.1'), true],
    [on(80), on(80, '::1'), true],
    [on(80), on(80, '0:0:0:0:0:0:0:1'), true],
    [on(80), on(80, '127.0.0.2'), false],
    [on(80), on(80, '0.0.0.0'), true],
    [on(80), on(80, '::'), true],
    [on(80), on(80, '*'), true],
    [on(80, '*'), on(80, '10.0.0.1'), true],
    [on(80, '*'), on(80, 'myhost'), true],
    [on(80, '0.0.0.0'), on(80, '10.0.0.1'), true],
    [on(80, '0.0.0.0'), on(80, '::'), false],
    [on(80, '0.0.0.0'), on(80, 'fe80::1%eth0'), false],
    [on(80, '10.0.0.1'), on(80, '10.0.0.2'), false],
    [on(80, 'fe80::1%eth0'), on(80, 'fe80::1%eth1'), false],
    [on(80, 'MyHost'), on(80, 'myhost'), true],
    [on('auto'), on('auto'), false],
    [on('auto'), on(80), false],
    [unix('./a.sock'), unix('a.sock/../a.sock'), true],
    [unix('~/a.sock'), unix(join(homedir(), 'a.sock')), true],
    [unix('./a.sock'), unix('./b.sock'), false],
    [unix('./a.sock'), on(80), false],
  ];
  for (const [a, b, expected] of collisions) {
    assert.equal(listensCollide(a, b), expected, JSON.stringify([a, b]));
    assert.equal(listensCollide(b, a), expected, JSON.stringify([b, a]));
  }
});

test('the first two specs that would listen on one port are found', () => {
  const specs = ['8081', '5000', '127.0.0.1:8081:db:5432', '5000:80'].map(parseSpec);
  assert.deepEqual(findConflict(specs), [specs[0], specs[2]]);
  assert.equal(findConflict(specs.slice(0, 2)), undefined);
});

test('what is listened on here and what is listened on there do not collide', () => {
  const specs = [
    parseSpec('8081'),
    parseRemoteSpec('8081'),
    parseSpec('./a.sock:80'),
    parseRemoteSpec('./a.sock:80'),
  ];
  assert.equal(findConflict(specs), undefined);
});

test('a SOCKS proxy collides with a local forward, and one listened on there with another there', () => {
  const here = [parseRemoteSpec('1080'), parseSpec('1080:80'), parseDynamicSpec('*:1080')];
  assert.deepEqual(findConflict(here), [here[1], here[2]]);
  const there = [parseDynamicSpec('1080'), parseRemoteSpec('1080'), parseRemoteSpec('1080:localhost:80')];
  assert.deepEqual(findConflict(there), [there[1], there[2]]);
});

test('ports that the server chooses do not collide', () => {
  assert.equal(findConflict([parseRemoteSpec('0'), parseRemoteSpec('0:localhost:80')]), undefined);
});
