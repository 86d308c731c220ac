import { openFailure } from '../../discover/channel-refusal.ts';
import { listed } from '../../discover/scan/listed.ts';
import { look } from '../../discover/scan/script.ts';
import { formatEndpoint, type Endpoint } from '../../endpoint.ts';
import { TunnelError } from '../../errors.ts';
import { formatListen, type ForwardSpec } from '../../spec.ts';
import { ChannelOpenError } from '../../ssh/channel-open-error.ts';
import type { SshConnection } from '../../ssh/connection.ts';
import { explainedDialer } from '../dialer.ts';
import { failed, fromError, ok, skipped, type Outcome, type Report } from './finding.ts';

/** In no PermitOpen, and nothing listens there: see `explainedDialer`. */
const ANY_PORT: Endpoint = { kind: 'tcp', host: '0:0:0:0:0:0:0:1', port: 1 };
const DIAL_MS = 10_000;

/** Whether the server forwards, tried for real, and what each forward leads to. */
export async function checkForwarding(
  connection: SshConnection,
  forwards: readonly ForwardSpec[],
  report: Report,
): Promise<void> {
  const targets = forwards.flatMap((spec) => (spec.kind === 'local' ? [spec.connect] : []));
  const permitted = await Promise.all([tcpForwarding(connection), socketForwarding(connection)]);
  const [ports, sockets] = permitted;
  const outcomes: Outcome[] = [];
  for (const target of targets) {
    outcomes.push(await report.step('target', async () => await tryTarget(connection, target)));
  }
  // A target that fails says why by itself; one that works shows that it is a matter of a list.
  const works = (kind: Endpoint['kind']): boolean =>
    targets.some((target, index) => target.kind === kind && outcomes[index]?.verdict === 'ok');
  const needs = (kind: Endpoint['kind']): boolean =>
    targets.length === 0 || targets.some((target) => target.kind === kind);
  report.add('tcp-forwarding', weigh(ports, works('tcp'), targets.length === 0 || needs('tcp')));
  report.add('socket-forwarding', weigh(sockets, works('unix'), targets.length > 0 && needs('unix')));
  for (const spec of forwards) {
    if (spec.kind !== 'remote') continue;
    await report.step('remote-listen', async () => {
      const listener = await connection.listen(spec.listen, (stream) => stream.destroy());
      await listener.close();
      return ok(`${formatListen(spec.listen)} can be listened on there`);
    });
  }
}

function weigh(outcome: Outcome, works: boolean, isNeeded: boolean): Outcome {
  if (outcome.verdict !== 'failed') return outcome;
  if (works) return { ...outcome, verdict: 'warning', what: `${outcome.what}; what is named above works` };
  return isNeeded ? outcome : { ...outcome, verdict: 'warning' };
}

async function tryTarget(connection: SshConnection, target: Endpoint): Promise<Outcome> {
  const stream = await explainedDialer(connection)(target, AbortSignal.timeout(DIAL_MS)).catch(
    (error: unknown) => {
      if (error instanceof TunnelError) throw error;
      throw new Error(`${formatEndpoint(target)} did not answer within ${DIAL_MS / 1000} s`, {
        cause: error,
      });
    },
  );
  stream.destroy();
  return ok(`${formatEndpoint(target)} answers there`);
}

async function tcpForwarding(connection: SshConnection): Promise<Outcome> {
  try {
    (await connection.dial(ANY_PORT, AbortSignal.timeout(DIAL_MS))).destroy();
  } catch (error) {
    if (!(error instanceof ChannelOpenError)) return fromError(error, 'warning');
    if (error.reason === openFailure.prohibited) {
      return failed('The server does not forward to ports, or to listed ones only', [
        'In sshd_config there: AllowTcpForwarding no or remote, DisableForwarding, or PermitOpen with a list.',
        'In authorized_keys: restrict, no-port-forwarding or permitopen.',
      ]);
    }
  }
  return ok('The server forwards to any port');
}

/** A socket that is listened on and may be written to must open; one of the system's will do. */
async function socketForwarding(connection: SshConnection): Promise<Outcome> {
  const answers = await look((command, ms) => connection.exec(command, ms)).catch(() => undefined);
  const sockets = (answers && listed(answers)?.sockets)?.filter(({ access }) => access === 'yes') ?? [];
  // Rather the system's: an app may take a connection that says nothing for something.
  const socket = sockets.find(({ system }) => system) ?? sockets[0];
  if (socket === undefined)
    return skipped('Whether the server forwards to sockets was not tried: there is none to try');
  try {
    (await connection.dial({ kind: 'unix', path: socket.path }, AbortSignal.timeout(DIAL_MS))).destroy();
    return ok('The server forwards to sockets');
  } catch (error) {
    if (!(error instanceof ChannelOpenError)) return fromError(error, 'warning');
    return failed('The server does not forward to sockets', [
      `${socket.path} is listened on and may be written to, and was refused.`,
      'In sshd_config there: AllowStreamLocalForwarding no or remote; AllowTcpForwarding no and PermitOpen bar sockets, too.',
    ]);
  }
}
