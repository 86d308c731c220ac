import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listening, type Listening } from '../../src/discover/socket-listener.ts';
import type { SocketFacts } from '../../src/discover/socket-probe.ts';

const INODE = 2_146_381;

function judge(listeners: SocketFacts['listeners'], inode = INODE): Listening {
  return listening({
    user: 'deploy',
    uid: 1000,
    gids: [],
    accountGids: [],
    path: '/var/run/app.sock',
    end: 'reached',
    at: '/run/app.sock',
    rest: '',
    settings: [],
    file: { mode: 'srwxrwxrwx', uid: 0, gid: 0, owner: 'root', group: 'root', inode, writable: true },
    ...(listeners === undefined ? {} : { listeners }),
  });
}

function ss(...lines: readonly string[]): Listening {
  return judge({ format: 'ss', text: lines.join('\n') });
}

function proc(...lines: readonly string[]): Listening {
  return judge({ format: 'proc', text: lines.join('\n') });
}

test('nothing is said to be stale where nobody could look', () => {
  assert.equal(judge(undefined), 'unknown');
});

test('ss without a line means that nobody listens', () => {
  assert.equal(ss(''), 'no');
});

test('ss shows the file of a listener, whatever path it was bound by', () => {
  assert.equal(
    ss(`u_str LISTEN 0      5                 app.sock 13352 * 0 <-> ino:${INODE} dev:0/65024 peers:`),
    'yes',
  );
  assert.equal(ss(`u_str LISTEN 0 5 /data/x y/app.sock 13352 * 0 ino:${INODE} dev:0/1`), 'yes');
  assert.equal(ss('u_str LISTEN 0 5 app.sock 13352 * 0 <-> ino:1 dev:0/65024 peers:'), 'no');
  assert.equal(ss('u_str LISTEN 0 5 /srv/app.sock 13352 * 0 <-> ino:1 dev:0/65024 peers:'), 'no');
});

test('an inode is compared by the 32 bits that ss shows', () => {
  const listeners = {
    format: 'ss',
    text: `u_str LISTEN 0 5 app.sock 1 * 0 <-> ino:${INODE} dev:0/1`,
  } as const;
  assert.equal(judge(listeners, 2 ** 32 + INODE), 'yes');
});

test('an old ss without inodes knows a listener by its path only', () => {
  assert.equal(ss('u_str LISTEN 0 5 /run/app.sock 13352 * 0 <->'), 'yes');
  assert.equal(ss('u_str LISTEN 0 5 /var/run/app.sock 13352 * 0'), 'yes');
  assert.equal(ss('u_str LISTEN 0 5 app.sock 13352 * 0'), 'unknown');
});

test('the same path with another file, or the same file with another name, decides nothing', () => {
  assert.equal(ss('u_str LISTEN 0 5 /run/app.sock 13352 * 0 <-> ino:1 dev:0/1'), 'unknown');
  assert.equal(ss(`u_str LISTEN 0 5 /run/new.sock 13352 * 0 <-> ino:${INODE} dev:0/1`), 'unknown');
});

test('a queue is full when more wait than may', () => {
  const line = (queued: number): string => `u_str LISTEN ${queued} 5 app.sock 1 * 0 <-> ino:${INODE} dev:0/1`;
  assert.equal(ss(line(5)), 'yes');
  assert.equal(ss(line(6)), 'full');
});

test('sockets that take no streams, and names that only end alike, do not count', () => {
  assert.equal(ss(`u_dgr UNCONN 0 0 /run/app.sock 1 * 0 <-> ino:${INODE} dev:0/1`), 'no');
  assert.equal(ss(`u_seq LISTEN 0 5 /run/app.sock 1 * 0 <-> ino:${INODE} dev:0/1`), 'no');
  assert.equal(ss('u_str LISTEN 0 5 /run/my-app.sock 1 * 0 <-> ino:1 dev:0/1'), 'no');
  assert.equal(proc('00000000ae5a09d2: 00000002 00000000 00010000 0005 01 22716 /run/app.sock'), 'no');
});

test('/proc/net/unix knows a listener by its path only, and connections are not listeners', () => {
  const listener = '000000008507a8f9: 00000002 00000000 00010000 0001 01 13352 ';
  assert.equal(proc(`${listener}/run/app.sock`), 'yes');
  assert.equal(proc(`${listener}/srv/app.sock`), 'unknown');
  assert.equal(proc(`${listener}app.sock`), 'unknown');
  assert.equal(proc(`${listener}/run/my-app.sock`), 'no');
  assert.equal(proc('000000008507a8f9: 00000003 00000000 00000000 0001 03 13352 /run/app.sock'), 'no');
});

test('one certain listener outweighs others that may be something else', () => {
  const other = 'u_str LISTEN 0 5 /run/new.sock 13352 * 0 <-> ino:2146381 dev:0/1';
  assert.equal(ss(other, `u_str LISTEN 0 5 app.sock 1 * 0 <-> ino:${INODE} dev:0/1`, 'noise'), 'yes');
});
