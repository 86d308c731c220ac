import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatDuration } from '../../src/cli/format.ts';

const sizes: [bytes: number, text: string][] = [
  [0, '0 B'],
  [0.4, '0 B'],
  [999, '999 B'],
  [999.6, '1.0 kB'],
  [1000, '1.0 kB'],
  [1234, '1.2 kB'],
  [9949, '9.9 kB'],
  [9950, '10 kB'],
  [999_499, '999 kB'],
  [999_500, '1.0 MB'],
  [1_073_741_824, '1.1 GB'],
  [5e18, '5000 PB'],
];

for (const [bytes, text] of sizes) {
  test(`${bytes} bytes are shown as ${text}`, () => assert.equal(formatBytes(bytes), text));
}

const times: [seconds: number, text: string][] = [
  [0, '0s'],
  [59.999, '59s'],
  [60, '1m 00s'],
  [192, '3m 12s'],
  [3600, '1h 00m'],
  [7500, '2h 05m'],
  [86_399, '23h 59m'],
  [86_400, '1d 00h'],
  [273_600, '3d 04h'],
];

for (const [seconds, text] of times) {
  test(`${seconds} seconds are shown as ${text}`, () => assert.equal(formatDuration(seconds * 1000), text));
}
