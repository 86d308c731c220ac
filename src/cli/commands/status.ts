import type { SessionsCommand } from '../command.ts';
import type { Screens } from '../output/output.ts';
import { columnsOf, painter } from '../output/screen.ts';
import { statusLines } from '../output/session-lines.ts';
import { lookUpSessions, warnOfMute } from './find-sessions.ts';

/**
 * Shows sessions at length. Fulfils with 0 only if there is one and each is ready, so that a script can ask; throws a
 * `NotFoundError`.
 */
export async function status(
  command: SessionsCommand,
  { stdout, stderr }: Screens = process,
): Promise<number> {
  const { sessions, mute } = await lookUpSessions(command.names);
  const statuses = sessions.map((session) => session.status);
  if (command.json) {
    const [only] = statuses;
    const document =
      command.names.length === 1 && statuses.length === 1 && mute.length === 0 ? only : statuses;
    stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  } else if (statuses.length === 0 && mute.length === 0) {
    stderr.write('No session is open.\n');
  } else {
    for (const one of statuses)
      stdout.write(`${statusLines(one, painter(stdout), columnsOf(stdout)).join('\n')}\n`);
  }
  if (warnOfMute(mute, { stderr }) !== 0) return 1;
  return statuses.length > 0 && statuses.every(({ state }) => state === 'ready') ? 0 : 1;
}
