import assert from 'node:assert/strict';
import { test } from 'node:test';
import { autoPorts } from '../../src/forward/auto-port.ts';

const web = 'localhost:3000';

function first(remoteName: string, target: string): number | undefined {
  return autoPorts(remoteName, target).next().value;
}

test('the ports of one remote and endpoint are the same in every run and every version', () => {
  assert.deepEqual([...autoPorts('vps', web)].slice(0, 3), [25_588, 21_221, 26_827]);
});

test('another remote or another endpoint has other ports', () => {
  const ports = [
    first('vps', '3000'),
    first('vps2', '3000'),
    first('vps', '3001'),
    first('vps', '~/app.sock'),
  ];
  assert.equal(new Set(ports).size, ports.length);
});

test('every port is tried once, and all are below those that a kernel hands out', () => {
  const ports = [...autoPorts('vps', web)];
  assert.equal(ports.length, 9_973);
  assert.equal(new Set(ports).size, ports.length);
  assert.ok(Math.min(...ports) === 20_000 && Math.max(...ports) < 30_000);
});
