import assert from 'node:assert/strict';
import { API, DATABASE, FIVE_THOUSAND, inCi, opens, stays, WEB, type Row } from './checks.ts';

const socketOnAnyPort = stays(async (world, screen) => {
  const [, url = ''] = /(http:\/\/localhost:\d+) → ~\/app\/app\.sock/.exec(screen()) ?? [];
  await world.answers(`${url}/hello`, /"hello":"flask"/);
});

const localSocket = stays(async (world) => {
  const socket = `${(await world.run('pwd')).stdout.trim()}/app.sock`;
  await world.answers('http://app/hello', /"hello":"flask"/, '--unix-socket', socket);
  assert.equal((await world.run('stat', '-c', '%a', socket)).stdout.trim(), '600');
});

/** One port, a socket, several, and many behind one port. */
export const opening: readonly Row[] = [
  ['npm run demo', inCi],
  ['npm test', inCi],
  ['npm run build && npm install -g .', inCi],
  ['tunnel vps 8081', opens(WEB)],
  ["tunnel vps '~/app/app.sock'", socketOnAnyPort],
  ['tunnel vps 3000:~/app/app.sock', opens(API)],
  [
    'tunnel vps 8081 5000 3000:/srv/app/app.sock 5432:db.internal:5432',
    opens(WEB, FIVE_THOUSAND, API, DATABASE),
  ],
  ['tunnel vps ./app.sock:/srv/app/app.sock', localSocket],
  [
    "tunnel vps --http 8080 -r '/api/*=~/api/app.sock' -r '/admin/*=5000' -r '/=./webroot,spa'",
    opens(
      ['http://localhost:8080/api/hello', /"hello":"flask"/],
      ['http://localhost:8080/admin/hello', /five thousand/],
      ['http://localhost:8080/', /Files of this machine/],
      ['http://localhost:8080/no/such/file', /Files of this machine/],
    ),
  ],
  [
    "tunnel vps --http 8080 --caddyfile --remote-dir '~/app'",
    opens(
      ['http://localhost:8080/api/hello', /"hello":"flask"/],
      ['http://localhost:8080/', /Files of this machine/],
    ),
  ],
];
