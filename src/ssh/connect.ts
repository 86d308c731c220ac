import type { HostSettings, SshFlags } from '../config/settings.ts';
import { ConnectError } from '../errors.ts';
import { chooseTransport } from './choose-transport.ts';
import type { SshConnection } from './connection.ts';
import type { SshContext } from './context.ts';
import { unhonoured, type Carrier } from './honoured.ts';
import type { TransportName } from './transport-name.ts';

/**
 * Hosts that ssh2 has met in vain, and why: it has no algorithm in common with them, or with a jump host before them. As
 * long as this process lives they are not asked again, at every reconnecting.
 */
const beyondSsh2 = new Map<string, string>();

/**
 * Opens an SSH connection with the transport that suits the host; `flags` are what `settings` were resolved from. Each
 * is loaded only when it is used. Throws a `ConnectError`, or the reason of `context.signal`. The caller closes it.
 */
export async function connect(
  settings: HostSettings,
  flags: SshFlags,
  context: SshContext,
  transport: TransportName,
): Promise<SshConnection> {
  const { carrier, reason } = await choose(settings, transport, context);
  context.debug(`transport ${carrier}: ${reason}`);
  const warnings = unhonoured(settings, carrier);
  for (const sentence of warnings) context.warn(sentence);
  if (carrier === 'openssh') {
    return await connectWithOpenssh(settings, flags, context).catch((error: unknown) => {
      throw isMissingSsh(error) ? wantedFor(reason, error) : error;
    });
  }
  const ssh2 = await import('./ssh2/connect.ts');
  try {
    return await ssh2.connect(settings, context);
  } catch (error) {
    if (transport !== 'auto' || !isNoCommonAlgorithm(error)) throw error;
    return await instead(error, settings, flags, context, warnings);
  }
}

async function choose(
  settings: HostSettings,
  transport: TransportName,
  context: SshContext,
): Promise<{ carrier: Carrier; reason: string }> {
  const known = transport === 'auto' ? beyondSsh2.get(placeOf(settings)) : undefined;
  if (known !== undefined) return { carrier: 'openssh', reason: known };
  return await chooseTransport(settings, transport, context);
}

/** What a server offers shows only when it is there; the ssh program may have what ssh2 lacks. */
async function instead(
  error: ConnectError,
  settings: HostSettings,
  flags: SshFlags,
  context: SshContext,
  warnings: readonly string[],
): Promise<SshConnection> {
  context.debug(`transport openssh: ${error.message}`);
  for (const sentence of unhonoured(settings, 'openssh')) {
    if (!warnings.includes(sentence)) context.warn(sentence);
  }
  try {
    beyondSsh2.set(placeOf(settings), error.message);
    return await connectWithOpenssh(settings, flags, context);
  } catch (failure) {
    if (!isMissingSsh(failure)) throw failure;
    beyondSsh2.delete(placeOf(settings));
    throw error;
  }
}

async function connectWithOpenssh(
  settings: HostSettings,
  flags: SshFlags,
  context: SshContext,
): Promise<SshConnection> {
  const openssh = await import('./openssh/connect.ts');
  return await openssh.connectWithOpenssh(settings, flags, context);
}

function isNoCommonAlgorithm(error: unknown): error is ConnectError {
  return error instanceof ConnectError && error.code === 'no-common-algorithm';
}

function isMissingSsh(error: unknown): error is ConnectError {
  return error instanceof ConnectError && error.code === 'ssh-missing';
}

function wantedFor(reason: string, { code, message, hint, cause }: ConnectError): ConnectError {
  return new ConnectError(code, message, { hint: [`It is needed here: ${reason}.`, ...hint], cause });
}

/** Jump hosts with other configurations lead to the same name of another machine. */
function placeOf({ alias, hostname, port, proxyJump, proxyCommand = '' }: HostSettings): string {
  return JSON.stringify([alias, hostname, port, proxyJump, proxyCommand]);
}
