import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decodeKey, fingerprint, keyType } from '../../src/ssh/known-hosts-key.ts';
import { needs } from '../rig/requirements.ts';
import { blob, ed25519, folder, rsa } from './known-hosts-samples.ts';

test('keys of ssh-keygen are decoded, and have the type and the fingerprint that it shows', (t) => {
  if (!needs(t, 'ssh')) return;
  const dir = folder(t);
  const kinds = [
    ['ed25519', '256'],
    ['ecdsa', '256'],
    ['ecdsa', '384'],
    ['ecdsa', '521'],
    ['rsa', '2048'],
  ] as const;
  for (const [kind, bits] of kinds) {
    const file = dir.path(kind + bits);
    execFileSync('ssh-keygen', ['-q', '-t', kind, '-b', bits, '-N', '', '-f', file]);
    const [type = '', base64 = ''] = readFileSync(`${file}.pub`, 'utf8').split(' ');
    const shown = execFileSync('ssh-keygen', ['-lf', file], { encoding: 'utf8' }).split(' ')[1];
    const key = decodeKey(type, base64);
    assert.ok(key, `${kind} ${bits}`);
    assert.equal(keyType(key), type);
    assert.equal(fingerprint(key), shown);
  }
});

test('an RSA key may stand under the name of its signature algorithm', () => {
  const key = rsa();
  assert.deepEqual(decodeKey('rsa-sha2-512', key.toString('base64')), key);
});

test('a key that is cut off, has bytes too many, or is of another type than its line says is none', () => {
  const key = ed25519();
  const none = [
    ['ssh-rsa', key],
    ['ssh-unheard-of', blob('ssh-unheard-of', 'x')],
    ['ssh-ed25519', key.subarray(0, 48)],
    ['ssh-ed25519', Buffer.concat([key, Buffer.from('x')])],
    ['ssh-ed25519', blob('ssh-ed25519', 'short')],
    ['ssh-ed25519', Buffer.from([255, 255, 255, 255])],
    ['ssh-ed25519', Buffer.alloc(0)],
  ] as const;
  assert.ok(decodeKey('ssh-ed25519', key.toString('base64')));
  for (const [type, bytes] of none) assert.equal(decodeKey(type, bytes.toString('base64')), undefined);
});

test('base64 with other characters, without its padding or with bits to spare is no key', () => {
  const base64 = blob('ssh-rsa', Buffer.from([1, 0, 1]), Buffer.alloc(256, 0x55)).toString('base64');
  assert.match(base64, /[^=]=$/);
  assert.ok(decodeKey('ssh-rsa', base64));
  for (const bad of [
    base64.slice(0, -1),
    `${base64}=`,
    base64.replace(/.=$/, 'B='),
    `${base64.slice(0, 40)}-${base64.slice(41)}`,
  ]) {
    assert.equal(decodeKey('ssh-rsa', bad), undefined, bad);
  }
});

test('what a stranger sends as a key has a type that can be printed', () => {
  assert.equal(keyType(Buffer.alloc(0)), 'unknown');
  assert.equal(keyType(blob('\u001b[2Jrsa', 'x')), 'unknown');
  assert.equal(keyType(Buffer.from('nonsense')), 'unknown');
});
