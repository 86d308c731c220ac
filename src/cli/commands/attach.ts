import type { AttachCommand } from '../command.ts';
import { chooseOutput } from '../output/choose-output.ts';
import type { Screens } from '../output/output.ts';
import { aborted, catchStopSignals, signalStatus } from '../signals.ts';
import { findSession } from './find-sessions.ts';
import { show, watched } from './join.ts';

/**
 * Shows a session as the process that opened it would, until Ctrl-C or its end; it goes on afterwards. Fulfils with the
 * exit status; throws a `NotFoundError`, or the error that ended the session.
 */
export async function attach(command: AttachCommand, screens: Screens = process): Promise<number> {
  const stop = catchStopSignals();
  const { client, status } = await findSession(command.session);
  const output = await chooseOutput(command, screens);
  const stream = await client.follow();
  try {
    const end = Promise.race([show(client, stream, status.name, output, () => true), aborted(stop.first)]);
    const error = await watched(client, undefined, output, end);
    if (stop.received === undefined) throw error;
    output.note(`${status.name} goes on. To end it: tunnel stop ${status.name}`);
    return signalStatus(stop.received);
  } finally {
    stream.close();
    output.close();
  }
}
