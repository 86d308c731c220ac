import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DialError } from '../../src/errors.ts';
import { parseDynamicSpec, parseRemoteSpec, parseSpec } from '../../src/parse-spec.ts';
import type { ForwardView, SessionEvent } from '../../src/session/events.ts';
import { eventReport, readEvent, ReportedError } from '../../src/session/report.ts';
import type { ForwardSpec, Listen } from '../../src/spec.ts';

function view(
  spec: ForwardSpec,
  bound: readonly Listen[] = [{ kind: 'tcp', host: '127.0.0.1', port: 8081 }],
): ForwardView {
  return { spec, bound, open: 1, total: 2, bytesUp: 3, bytesDown: 4 };
}

const forwards: ForwardView[] = [
  view(parseSpec('8081')),
  view(parseSpec('auto:~/app/a:b.sock'.replace(':b', String.raw`\:b`))),
  view(parseSpec('/here.sock:/there.sock'), [{ kind: 'unix', path: '/here.sock' }]),
  view(parseDynamicSpec('[::1]:1080'), [{ kind: 'tcp', host: '::1', port: 1080 }]),
  view(parseRemoteSpec('0:localhost:3000'), [{ kind: 'tcp', port: 34_567 }]),
  view(parseRemoteSpec('1080')),
  view({
    kind: 'http',
    listen: { kind: 'tcp', port: 8080 },
    routes: ['/api/*=~/api/app.sock', '/=/srv/web'],
    caddyfile: { file: '/srv/Caddyfile', remoteFolder: '~/app' },
    as: 'app.example.org',
    log: { queries: true, cookies: false },
  }),
];

const error = new DialError('refused', 'Refused', { hint: ['Start it.'] });

const events: SessionEvent[] = [
  { type: 'connecting', host: 'vps', phase: 'resolving' },
  { type: 'ready', host: 'vps', user: 'deploy', address: '192.0.2.1:22', via: 'wireguard' },
  { type: 'via', host: 'vps', via: 'ssh', reason: 'no route', tookMs: 12 },
  { type: 'waiting', host: 'vps', error, retryInMs: 500 },
  { type: 'warning', message: 'mind this' },
  { type: 'closed', host: 'vps' },
  { type: 'closed', host: 'vps', error },
  ...forwards.flatMap((forward): SessionEvent[] => [
    { type: 'forward', forward },
    { type: 'cancelled', forward },
    { type: 'connection', forward, state: 'opened' },
    { type: 'error', forward, error },
  ]),
];

test('an event that has gone to another process is the same there', () => {
  for (const event of events) {
    const line = JSON.parse(JSON.stringify(eventReport(event))) as Parameters<typeof readEvent>[0];
    const read = readEvent(line);
    assert.equal(read.type, event.type);
    if ('forward' in event && 'forward' in read) assert.deepEqual(read.forward, event.forward);
    if ('error' in event && event.error !== undefined) {
      assert.ok('error' in read && read.error instanceof ReportedError);
      const { code, message, hint, exitStatus } = read.error;
      assert.deepEqual([code, message, hint, exitStatus], ['refused', 'Refused', ['Start it.'], 1]);
    }
    const known = new Set(['type', 'forward', 'error']);
    for (const [key, value] of Object.entries(event)) {
      if (!known.has(key)) assert.deepEqual((read as unknown as Record<string, unknown>)[key], value, key);
    }
  }
});
