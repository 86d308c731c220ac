import { quoted } from './endpoint.ts';
import { UsageError } from './errors.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, '': 1000 };
/** A day: `setTimeout` takes more, but nobody waits longer for a connection. */
const LONGEST_MS = 24 * 3_600_000;

/** `500ms`, `15s`, `2m`, `1h`, and seconds without a unit; in milliseconds. Throws a `UsageError` that names the flag. */
export function parseDuration(flag: string, text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|)$/.exec(text) ?? [];
  const ms = Number(number) * (UNITS[unit] ?? 0);
  if (number !== '' && ms <= LONGEST_MS) return ms;
  throw new UsageError('bad-duration', `${flag} ${quoted(text)} is not a time`, {
    hint: ['Write it like 500ms, 15s, 2m or 1h; a day is the longest.'],
  });
}

/** `no`, `yes`, or the shortest and the longest wait between two tries: `1s..1m`. */
export function parseReconnect(
  text: string,
  flag = '--reconnect',
): { minMs: number; maxMs: number } | boolean {
  if (text === 'no' || text === 'yes') return text === 'yes';
  const [min, max, ...more] = text.split('..');
  if (min !== undefined && max !== undefined && more.length === 0) {
    const [minMs, maxMs] = [parseDuration(flag, min), parseDuration(flag, max)];
    if (minMs > 0 && minMs <= maxMs) return { minMs, maxMs };
  }
  throw new UsageError('bad-reconnect', `${flag} ${quoted(text)} is not understood`, {
    hint: ['Write no, yes, or the shortest and the longest wait between two tries: 500ms..30s'],
  });
}
