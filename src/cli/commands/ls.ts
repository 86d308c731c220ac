import type { SessionsCommand } from '../command.ts';
import { sessionLines } from '../output/session-lines.ts';
import type { Screens } from '../output/output.ts';
import { columnsOf, painter } from '../output/screen.ts';
import { lookUpSessions, warnOfMute } from './find-sessions.ts';

/** Lists the sessions. Fulfils with the exit status, 1 if one does not answer; throws a `NotFoundError`. */
export async function ls(command: SessionsCommand, { stdout, stderr }: Screens = process): Promise<number> {
  const { sessions, mute } = await lookUpSessions(command.names);
  const statuses = sessions.map(({ status }) => status);
  if (command.json) stdout.write(`${JSON.stringify(statuses, undefined, 2)}\n`);
  else if (statuses.length === 0 && mute.length === 0)
    stderr.write('No session is open. To open one: tunnel HOST PORT -d\n');
  for (const status of command.json ? [] : statuses) {
    stdout.write(`${sessionLines(status, painter(stdout), columnsOf(stdout)).join('\n')}\n`);
  }
  return warnOfMute(mute, { stderr });
}
