import type { SessionsCommand } from '../command.ts';
import type { Screens } from '../output/output.ts';
import { painter } from '../output/screen.ts';
import { statusLines } from '../output/session-lines.ts';
import { findSessions } from './find-sessions.ts';

/**
 * Shows sessions at length. Fulfils with 0 only if there is one and each is ready, so that a script can ask; throws a
 * `NotFoundError`.
 */
export async function status(
  command: SessionsCommand,
  { stdout, stderr }: Screens = process,
): Promise<number> {
  const statuses = (await findSessions(command.names)).map((session) => session.status);
  if (command.json) {
    const [only] = statuses;
    const document = command.names.length === 1 && statuses.length === 1 ? only : statuses;
    stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  } else if (statuses.length === 0) {
    stderr.write('No session is open.\n');
  } else {
    for (const one of statuses) stdout.write(`${statusLines(one, painter(stdout)).join('\n')}\n`);
  }
  return statuses.length > 0 && statuses.every(({ state }) => state === 'ready') ? 0 : 1;
}
