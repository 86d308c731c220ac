import { chosenForwards } from '../../config/forwards.ts';
import { formatDestination } from '../../config/destination.ts';
import type { Destination, HostSettings, SshFlags } from '../../config/settings.ts';
import { resolveSettings } from '../../config/ssh-config.ts';
import { TunnelError } from '../../errors.ts';
import type { ForwardSpec } from '../../spec.ts';
import type { SshConnection } from '../../ssh/connection.ts';
import type { Ask } from '../../ssh/context.ts';
import { jumpHosts } from '../../ssh/jump-hosts.ts';
import type { TransportName } from '../../ssh/transport-name.ts';
import type { WireguardAddress } from '../../wireguard/address.ts';
import { sessionName } from '../control/socket.ts';
import { hangUp, visitWith } from '../visit.ts';
import { failed, fromError, ok, warning, type Finding, type Outcome, Report } from './finding.ts';
import { checkForwarding } from './forwarding.ts';
import { checkKeys, type Keys } from './keys.ts';
import { checkLine } from './line-quality.ts';
import { checkLocalPorts } from './local-ports.ts';
import { checkOwnFiles } from './own-files.ts';
import { reach } from './reach.ts';
import { checkWireguard } from './wireguard.ts';

export interface HostExamination {
  readonly destination: Destination;
  readonly flags: SshFlags;
  readonly transport: TransportName;
  /** Absent: what the configuration of the host says. */
  readonly forwards?: readonly ForwardSpec[];
  /** Where the host is in a VPN. */
  readonly vpn?: WireguardAddress;
  /** Secrets alone are asked for: a host key that is not known is a finding. */
  readonly ask?: Ask;
  readonly signal: AbortSignal;
  readonly onFinding: (finding: Finding) => void;
  readonly debug: (message: string) => void;
}

/**
 * Goes through everything that opening a session needs, in its order, and tells what each step has found. Ends at the
 * first step without which the next ones mean nothing.
 */
export async function examineHost(options: HostExamination): Promise<Report> {
  const report = new Report(options.onFinding);
  const name = sessionName(options.destination, options.flags);
  const settings = await readConfiguration(options, report);
  if (settings === undefined) return report;
  const forwards = await readForwards(settings, options, report);
  await checkOwnFiles(report);
  await checkLocalPorts(forwards, name, report);
  if (options.vpn !== undefined) await checkWireguard(options.vpn, forwards, report);
  const keys = await checkKeys(settings, report);
  if (!(await reachFirst(settings, report, options.signal))) return report;
  const connection = await logIn(settings, options, keys, report);
  if (connection === undefined) return report;
  try {
    // First: where large packets are lost, nothing that says much gets through.
    if (await checkLine(connection, report)) await checkForwarding(connection, forwards, report);
  } finally {
    await hangUp(connection);
  }
  return report;
}

async function readConfiguration(
  { destination, flags, signal }: HostExamination,
  report: Report,
): Promise<HostSettings | undefined> {
  let settings: HostSettings | undefined;
  await report.step('configuration', async () => {
    settings = await resolveSettings(destination, flags, { signal });
    const { user, hostname: host, port } = settings;
    const [first, ...rest] = settings.warnings;
    if (first !== undefined) return warning(first, rest);
    return ok(`The configuration leads to ${formatDestination({ user, host, port })}`);
  });
  return settings;
}

async function readForwards(
  settings: HostSettings,
  { forwards: typed }: HostExamination,
  report: Report,
): Promise<readonly ForwardSpec[]> {
  try {
    return chosenForwards(settings, typed);
  } catch (error) {
    report.add('configuration', fromError(error));
    return [];
  }
}

/** What is reached from here: the host, its first jump host, or nothing that we would know of. */
async function reachFirst(settings: HostSettings, report: Report, signal: AbortSignal): Promise<boolean> {
  try {
    let first: HostSettings = settings;
    for await (const hop of jumpHosts(settings, signal)) first = hop.settings;
    if (first.proxyCommand !== undefined) {
      report.add('address', ok(`It is reached through a ProxyCommand: ${first.proxyCommand}`));
      return true;
    }
    return await reach(first, report, first === settings ? '' : `Jump host ${first.alias}: `);
  } catch (error) {
    report.add('resolve', fromError(error));
    return false;
  }
}

async function logIn(
  settings: HostSettings,
  options: HostExamination,
  keys: Keys,
  report: Report,
): Promise<SshConnection | undefined> {
  const start = performance.now();
  const { ask, signal, debug } = options;
  const warnings: string[] = [];
  const said: string[] = [];
  try {
    const connection = await visitWith(settings, {
      flags: options.flags,
      transport: options.transport,
      ...(ask && {
        ask: async (question, abort) => (question.echo ? undefined : await ask(question, abort)),
      }),
      warn: (message) => warnings.push(message),
      debug: (message) => {
        said.push(message);
        debug(message);
      },
      phase: () => undefined,
      signal,
    });
    const ms = performance.now() - start;
    report.add('host-key', ok(`The host key of ${settings.alias} is known`));
    report.add('login', loggedIn(settings, connection, said), ms);
    for (const message of warnings) {
      const [first = '', ...rest] = message.split('\n');
      report.add('login', warning(first, rest));
    }
    return connection;
  } catch (error) {
    signal.throwIfAborted();
    const outcome = notLoggedIn(error, keys, settings);
    report.add(stepOf(outcome.code), outcome, performance.now() - start);
    return undefined;
  }
}

function loggedIn({ user }: HostSettings, { address }: SshConnection, said: readonly string[]): Outcome {
  const offered = said.findLast((message) => message.startsWith('offering '))?.slice('offering '.length);
  return ok(`Logged in as ${user}@${address}${offered === undefined ? '' : ` with ${offered}`}`);
}

function notLoggedIn(error: unknown, { lacking }: Keys, { alias, user }: HostSettings): Outcome {
  const outcome = fromError(error);
  // What the jump host said of it.
  const cause = error instanceof TunnelError && error.code === 'jump-failed' ? error.cause : undefined;
  if (cause instanceof TunnelError) return { ...outcome, hint: [...(outcome.hint ?? []), ...cause.hint] };
  if (outcome.code !== 'authentication-failed' || lacking === undefined) return outcome;
  return {
    ...failed(`There is no key to log in to ${alias} with as ${user}: ${lacking}`, outcome.hint),
    code: 'authentication-failed',
  };
}

function stepOf(code: string | undefined): string {
  if (code?.startsWith('host-key') === true || code?.startsWith('known-hosts') === true) return 'host-key';
  if (code === 'authentication-failed' || code === 'password-expired') return 'login';
  if (code === 'jump-failed') return 'jump-host';
  if (code === 'proxy-command') return 'proxy-command';
  return 'handshake';
}
