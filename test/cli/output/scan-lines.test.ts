import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scanLines, table } from '../../../src/cli/output/scan-lines.ts';
import { plain } from '../../../src/cli/output/screen.ts';
import type { FoundPort, FoundSocket, Scan } from '../../../src/discover/scan/found.ts';

const port: FoundPort = {
  port: 8081,
  addresses: ['*'],
  spec: '8081',
  access: 'yes',
  owner: 'caddy',
  http: { scheme: 'http', status: 200, title: 'Visits of the whole week, by day and by hour' },
  caddy: ['site'],
  system: false,
};
const socket: FoundSocket = {
  path: '/srv/customers/production/backend/app.sock',
  spec: '/srv/customers/production/backend/app.sock',
  access: 'no',
  owner: 'www-data',
  process: { name: 'gunicorn', pid: 412 },
  why: 'permission denied: srwxrwx--- www-data:www-data',
  caddy: [],
  system: false,
};

for (const columns of [36, 59, 60, 80, 200]) {
  test(`a row of the table fits ${columns} columns, with the end of its path`, () => {
    const rows = table([port, socket], columns, plain);
    assert.equal(rows.length, 2);
    for (const row of rows) assert.ok(row.length <= columns, row);
    assert.match(rows[1] ?? '', /app\.sock/);
  });
}

test('where there is no room for a table nothing is cut, and only between words is a line broken', () => {
  const scan: Scan = {
    host: 'vps',
    user: 'deploy',
    time: '2026-11-25T10:04:31Z',
    source: 'ss',
    ports: [port],
    sockets: [socket],
    unseen: [],
  };
  assert.deepEqual(scanLines(scan, { all: false, columns: 40 }, plain).join('\n').split('\n'), [
    '✔ 8081  caddy  -',
    '    "Visits of the whole week, by day',
    '    and by hour" · Caddy site',
    '✖ /srv/customers/production/backend/app.sock',
    '    www-data  gunicorn',
    '    permission denied: srwxrwx---',
    '    www-data:www-data',
  ]);
});
