import type { HostSettings, SshFlags } from '../config/settings.ts';
import { chooseTransport } from './choose-transport.ts';
import type { SshConnection } from './connection.ts';
import type { SshContext } from './context.ts';
import { unhonoured } from './honoured.ts';
import type { TransportName } from './transport-name.ts';

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
  const { carrier, reason } = await chooseTransport(settings, transport, context);
  context.debug(`transport ${carrier}: ${reason}`);
  for (const sentence of unhonoured(settings, carrier)) context.warn(sentence);
  if (carrier === 'openssh') {
    const { connectWithOpenssh } = await import('./openssh/connect.ts');
    return await connectWithOpenssh(settings, flags, context);
  }
  const ssh2 = await import('./ssh2/connect.ts');
  return await ssh2.connect(settings, context);
}
