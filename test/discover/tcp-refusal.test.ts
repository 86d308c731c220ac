import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainTcpRefusal } from '../../src/discover/tcp-refusal.ts';
import { DialError } from '../../src/errors.ts';

const endpoint = { kind: 'tcp', host: 'localhost', port: 8081 } as const;

function explain(reason: number, description: string): DialError {
  return explainTcpRefusal({ reason, description, endpoint, host: 'vps', user: 'deploy' });
}

test('a port that nothing listens on is named as it was asked for', () => {
  const error = explain(2, 'Connection refused');
  assert.ok(error instanceof DialError);
  assert.equal(error.code, 'connect-refused');
  assert.equal(error.message, 'Cannot connect to localhost:8081 from vps: nothing listens there');
  assert.match(error.hint.join(' '), /ssh vps ss -tln/);
});

const DESCRIPTIONS = [
  ['Connection refused', 'connect-refused'],
  ['dial tcp 127.0.0.1:8081: connect: connection refused', 'connect-refused'],
  ['Connection timed out', 'connect-timeout'],
  ['Operation timed out', 'connect-timeout'],
  ['Name or service not known', 'unknown-host'],
  ['Name does not resolve', 'unknown-host'],
  ['nodename nor servname provided, or not known', 'unknown-host'],
  ['No address associated with hostname', 'unknown-host'],
  ['Temporary failure in name resolution', 'name-server-failed'],
  ['Try again', 'name-server-failed'],
  ['No route to host', 'connect-unreachable'],
  ['Network is unreachable', 'connect-unreachable'],
  ['Permission denied', 'connect-not-permitted'],
  ['Operation not permitted', 'connect-not-permitted'],
  ['open failed', 'connect-failed'],
  ['', 'connect-failed'],
] as const;

test('the words of glibc, musl, the BSDs, macOS and Go for a failed connection are understood', () => {
  for (const [description, code] of DESCRIPTIONS) {
    assert.equal(explain(2, description).code, code, description);
  }
});

test('words that are not understood are shown as they are', () => {
  const error = explain(2, 'Out of cheese');
  assert.equal(error.code, 'connect-failed');
  assert.match(error.hint.join(' '), /Out of cheese/);
});

test('a prohibition tells the switch from the list, whatever the description says', () => {
  const error = explain(1, 'Connection refused');
  assert.equal(error.code, 'tcp-forwarding-prohibited');
  const [all, some, show] = error.hint;
  assert.match(all ?? '', /no port at all works.*AllowTcpForwarding.*DisableForwarding.*no-port-forwarding/);
  assert.match(some ?? '', /others work.*localhost:8081 is not in PermitOpen/);
  assert.match(show ?? '', /sudo sshd -T -C user=deploy \| grep/);
});

test('a server that cannot forward, or has no room, says so', () => {
  assert.equal(explain(3, 'unknown channel type').code, 'tcp-forwarding-unsupported');
  const shortage = explain(4, 'too many channels');
  assert.equal(shortage.code, 'tcp-resource-shortage');
  assert.match(shortage.hint.join(' '), /too many channels/);
});

test('what the server says cannot move the cursor or flood the terminal', () => {
  const error = explain(2, `\u001b[2J\r\n\u009b31m\u202e${'x'.repeat(10_000)}`);
  const shown = [error.message, ...error.hint].join('');
  assert.doesNotMatch(shown, /[\p{Cc}\u202e]/u);
  assert.ok(shown.length < 1000);
});

test('an IPv6 address is shown in brackets', () => {
  const refusal = { reason: 2, description: 'Connection refused', host: 'vps' };
  const error = explainTcpRefusal({ ...refusal, endpoint: { kind: 'tcp', host: '::1', port: 80 } });
  assert.match(error.message, /^Cannot connect to \[::1\]:80 from vps/);
});
