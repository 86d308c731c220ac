import assert from 'node:assert/strict';
import { API, ends, nothingIsOpen, WEB, type Check, type Row } from './checks.ts';
import type { World } from './world.ts';

/** A line that shows the session as it goes on, until Ctrl-C, which leaves the session alone. */
const watches: Check = async (world, line) => {
  const terminal = await world.type(line);
  await terminal.waitFor(/localhost:3000/);
  terminal.write('\x03');
  assert.equal((await terminal.exit).status, 130, terminal.screen);
  await world.answers(...API);
};

async function webHasGone({ run }: World): Promise<void> {
  assert.equal((await run('curl', '-s', WEB[0])).status, 7, 'nothing listens');
}

const asked =
  (words: RegExp) =>
  async ({ read }: World): Promise<void> =>
    assert.match(read('systemctl.log'), words);

/** In the background, and at each login. */
export const sessions: readonly Row[] = [
  ['tunnel vps 8081 -d', ends(/8081/, (world) => world.answers(...WEB))],
  ['tunnel ls', ends(/● vps .*\n.*localhost:8081/)],
  ['tunnel add vps 3000:~/app/app.sock', ends(/3000/, (world) => world.answers(...API))],
  ['tunnel cancel vps 8081', ends(/8081/, webHasGone)],
  ['tunnel status vps', ends(/ready[^]*localhost:3000 → ~\/app\/app\.sock/)],
  ['tunnel attach vps', watches],
  ['tunnel logs -f vps', watches],
  ['tunnel stop vps', ends(/vps/, nothingIsOpen)],
  [
    'tunnel service install vps 8081 3000:~/app/app.sock',
    ends(/Installed/, async (world) => {
      assert.match(world.read('.config/systemd/user/tunnel-vps.service'), /"8081" "3000:~\/app\/app\.sock"/);
      await asked(/--user enable --now tunnel-vps\.service/)(world);
    }),
  ],
  ['tunnel service status vps', ends(/^/, asked(/status tunnel-vps\.service/))],
  ['tunnel service uninstall vps', ends(/^/, asked(/disable --now tunnel-vps\.service/))],
];
