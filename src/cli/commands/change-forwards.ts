import { readForward } from '../../session/report.ts';
import { withAbsolutePlaces } from '../../session/http-spec.ts';
import type { ForwardsCommand } from '../command.ts';
import { forwardLine } from '../output/lines.ts';
import type { Screens } from '../output/output.ts';
import { painter } from '../output/screen.ts';
import { findSession } from './find-sessions.ts';

/**
 * Adds forwards to a session, or takes them away: all or none. Fulfils with the exit status; throws what the session
 * refuses, and a `NotFoundError`.
 */
export async function changeForwards(
  command: ForwardsCommand,
  { stdout, stderr }: Screens = process,
): Promise<number> {
  const { client, status } = await findSession(command.session);
  const forwards = command.forwards.map(withAbsolutePlaces);
  if (command.name === 'cancel') {
    const cancelled = await client.cancel(forwards);
    if (command.json) stdout.write(`${JSON.stringify({ cancelled }, undefined, 2)}\n`);
    else for (const { spec } of cancelled) stdout.write(`${status.name} forwards ${spec} no longer\n`);
    return 0;
  }
  const report = await client.add(forwards);
  if (command.json) {
    stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    return 0;
  }
  for (const forward of [...report.added, ...report.already]) {
    stdout.write(`${forwardLine(readForward(forward), painter(stdout))}\n`);
  }
  for (const { spec } of report.already) stderr.write(`${status.name} has ${spec} open already\n`);
  return 0;
}
