import { setTimeout as delay } from 'node:timers/promises';
import { ConnectionLostError } from '../../errors.ts';
import type { RunningSession } from '../../session/control/sessions.ts';
import { controlSocketPath, isAlive } from '../../session/control/socket.ts';
import type { SessionsCommand } from '../command.ts';
import type { Screens } from '../output/output.ts';
import { lookUpSessions, warnOfMute } from './find-sessions.ts';

/** Connections get 3 s to finish, and the server 2 s to hear our goodbye. */
const LIMIT_MS = 10_000;
const POLL_MS = 50;

/** Ends sessions, and waits until they are gone. Fulfils with the exit status; throws a `NotFoundError`. */
export async function stop(command: SessionsCommand, { stdout, stderr }: Screens = process): Promise<number> {
  const { sessions: found, mute } = await lookUpSessions(command.names);
  await Promise.all(found.map(stopOne));
  if (command.json) stdout.write(`${JSON.stringify(found.map(({ status }) => status.name))}\n`);
  else if (found.length === 0 && mute.length === 0) stderr.write('No session is open.\n');
  else for (const { status } of found) stdout.write(`Stopped ${status.name}\n`);
  return warnOfMute(mute, { stderr });
}

async function stopOne({ client, status }: RunningSession): Promise<void> {
  await client.stop();
  const path = controlSocketPath(status.name);
  // Another process may have opened it anew by then: one that waits with --wait.
  const isThere = async (): Promise<boolean> =>
    (await isAlive(path)) &&
    (await client.status().then(
      ({ pid }) => pid === status.pid,
      () => true,
    ));
  for (const deadline = performance.now() + LIMIT_MS; await isThere(); await delay(POLL_MS)) {
    if (performance.now() > deadline) {
      throw new ConnectionLostError('does-not-stop', `The session with ${status.name} does not end`, {
        hint: [`End its process: kill ${status.pid}`],
      });
    }
  }
}
