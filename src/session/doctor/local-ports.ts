import { openListener } from '../../forward/listener.ts';
import { formatFlag, formatListen, type ForwardSpec } from '../../spec.ts';
import { runningSessions } from '../control/sessions.ts';
import { withAbsolutePlaces } from '../http-spec.ts';
import { readForward } from '../report.ts';
import { ok, type Report } from './finding.ts';

/** Whether what is to be listened on here is free: it is listened on for a moment. */
export async function checkLocalPorts(
  forwards: readonly ForwardSpec[],
  name: string,
  report: Report,
): Promise<void> {
  const held = await heldBySession(name);
  for (const spec of forwards) {
    if (spec.kind === 'remote') continue;
    const place =
      spec.listen.kind === 'tcp' && spec.listen.port === 'auto' ? 'A free port' : formatListen(spec.listen);
    await report.step('listen', async () => {
      if (held.has(formatFlag(withAbsolutePlaces(spec))))
        return ok(`${place}: the running session listens there`);
      const listener = await openListener(spec, name, {
        accept: (socket) => socket.on('error', () => undefined).destroy(),
        onAcceptError: () => undefined,
      });
      await listener.close();
      return ok(`${place} can be listened on here`);
    });
  }
}

async function heldBySession(name: string): Promise<ReadonlySet<string>> {
  const { sessions } = await runningSessions().catch(() => ({ sessions: [] }));
  const ours = sessions.find(({ status }) => status.name === name);
  return new Set(ours?.status.forwards.map((forward) => formatFlag(readForward(forward).spec)));
}
