import assert from 'node:assert/strict';
import { until } from '../../rig/until.ts';
import { API, ends, nothingIsOpen, opens, stays, WEB, type Check, type Row } from './checks.ts';
import { appSaying, type World } from './world.ts';

function reachedThrough(via: string): Check {
  return stays(async (world) => {
    await world.answers(...WEB);
    assert.match(
      (await world.run('tunnel', 'status', 'vps', '--json')).stdout,
      new RegExp(`"via": ?"${via}"`),
    );
  });
}

/** With a line of the person's own in ~/.ssh/config. */
function configured(line: string, check: Check): Check {
  return async (world, typed) => {
    const before = world.read('.ssh/config');
    world.write('.ssh/config', `Host vps\n  ${line}\n\n${before}`);
    try {
      await check(world, typed);
    } finally {
      world.write('.ssh/config', before);
    }
  };
}

const inTheBrowser = stays(async (world) => {
  await until('the browser was started', async () => (await world.run('ls', '../browser.log')).status === 0);
  assert.equal(world.read('browser.log'), 'http://localhost:3000\n');
});

const completes = ends(/It counts in each bash/, async (world) => {
  const shell = await world.type('bash -i');
  shell.write('tunnel prof\t');
  await shell.waitFor(/\$ tunnel profile$/m);
  shell.write('\x15exit\r');
  await shell.exit;
});

/** While `tunnel vps 8081 -d` is there. */
function ofSession(check: Check): Check {
  return async (world, line) => {
    await world.run('tunnel', 'vps', '8081', '-d');
    await check(world, line);
    await world.run('tunnel', 'stop', 'vps');
    await nothingIsOpen(world);
  };
}

const fiveThousand = (world: World): Promise<void> =>
  world.answers('http://localhost:5000/hello', /five thousand/);

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

/** WireGuard, jump hosts, what is wrong, the other ways, what is configured or found, profiles, the control API. */
export const finding: readonly Row[] = [
  // Without a name, wireguard-go's interface is not told from any other.
  ['tunnel vps 8081 --wireguard 10.0.0.1', reachedThrough('ssh')],
  ['tunnel vps 8081 --wireguard 10.0.0.1,interface=wg0 --standby', reachedThrough('wireguard')],
  ['tunnel deploy@vps.example.org:2222 -J bastion -i ~/.ssh/work 8081', opens(WEB)],
  ["tunnel doctor vps 8081 '~/app/app.sock'", ends(/✔ .*8081[^]*✔ .*app\.sock/)],
  ['tunnel doctor', ends(/✔/)],
  [
    'tunnel vps -D 1080',
    opens(['http://web.internal:5000/hello', /five thousand/, '--proxy', 'socks5h://localhost:1080']),
  ],
  ['tunnel vps -R 9000:localhost:3000', fromThere],
  ['tunnel vps', configured('LocalForward 3000 /srv/app/app.sock', opens(API))],
  ['tunnel explain vps', configured('LocalForward 3000 /srv/app/app.sock', ends(/port 3000 here → \/srv/))],
  ['tunnel vps', opens(WEB)],
  ['tunnel vps 3000:~/app/app.sock --open', inTheBrowser],
  ["tunnel exec vps 3000:~/app/app.sock -- sh -c 'curl $TUNNEL_URL/hello'", ends(/"hello":"flask"/)],
  ['tunnel exec vps 5432 -- psql -h 127.0.0.1', ends(/from the database/)],
  ['tunnel scan vps', ends(/✔ 8081 .*Caddy site[^]*✔ ~\/app\/app\.sock .*"Flask"/)],
  ['tunnel save work deploy@vps 8081 3000:~/app/app.sock -J bastion', ends(/work/)],
  ['tunnel work', opens(WEB, API)],
  ['tunnel profile ls', ends(/work/)],
  [
    'tunnel profile edit work',
    ends(/^/, async ({ read }) => assert.match(read('.config/tunnel/profiles.json'), /"5000"/)),
  ],
  ['tunnel completion install', completes],
  [
    'curl --unix-socket $XDG_RUNTIME_DIR/tunnel/vps.sock http://localhost/v1/status',
    ofSession(ends(/"name":"vps"/)),
  ],
  [
    `curl --unix-socket $XDG_RUNTIME_DIR/tunnel/vps.sock http://localhost/v1/forwards -d '{"forwards":[{"spec":"5000"}]}'`,
    ofSession(ends(/"added":/, fiveThousand)),
  ],
];
