import type { SessionsCommand } from '../command.ts';
import type { Screens } from '../output/output.ts';
import { columnsOf, painter } from '../output/screen.ts';
import { sessionLines } from '../output/session-lines.ts';
import { findSessions } from './find-sessions.ts';

/**
 * Has sessions that wait connect now, and others make sure of their connection. Fulfils with the exit status; throws a
 * `NotFoundError`.
 */
export async function retry(
  command: SessionsCommand,
  { stdout, stderr }: Screens = process,
): Promise<number> {
  const found = await findSessions(command.names);
  const statuses = await Promise.all(found.map(({ client }) => client.retry()));
  if (command.json) stdout.write(`${JSON.stringify(statuses, undefined, 2)}\n`);
  else if (statuses.length === 0) stderr.write('No session is open.\n');
  else
    for (const status of statuses)
      stdout.write(`${sessionLines(status, painter(stdout), columnsOf(stdout))[0]}\n`);
  return 0;
}
