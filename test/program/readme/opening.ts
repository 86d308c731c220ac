import assert from 'node:assert/strict';
import { until } from '../../rig/until.ts';
import { API, DATABASE, FIVE_THOUSAND, inCi, opens, stays, WEB, type Row } from './checks.ts';
import { appSaying } from './world.ts';

const socketOnAnyPort = stays(async (world, screen) => {
  const [, url = ''] = /(http:\/\/localhost:\d+) → ~\/app\/app\.sock/.exec(screen()) ?? [];
  await world.answers(`${url}/hello`, /"hello":"flask"/);
});

const localSocket = stays(async (world) => {
  const socket = `${(await world.run('pwd')).stdout.trim()}/app.sock`;
  await world.answers('http://app/hello', /"hello":"flask"/, '--unix-socket', socket);
  assert.equal((await world.run('stat', '-c', '%a', socket)).stdout.trim(), '600');
});

const fromThere = stays(async (world) => {
  const app = await world.rig.start(world.command(appSaying('an app of this machine', 3000)));
  try {
    await until('the app of this machine answers there', async () =>
      /an app of this machine/.test((await world.there('curl', '-s', 'http://localhost:9000/')).stdout),
    );
  } finally {
    await app.stop();
  }
});

/** One port, a socket, several, many behind one port, jump hosts, SOCKS and the other way. */
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
  ['tunnel deploy@vps.example.org:2222 -J bastion -i ~/.ssh/work 8081', opens(WEB)],
  [
    'tunnel vps -D 1080',
    opens(['http://web.internal:5000/hello', /five thousand/, '--proxy', 'socks5h://localhost:1080']),
  ],
  ['tunnel vps -R 9000:localhost:3000', fromThere],
];
