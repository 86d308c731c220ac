import type { HostSettings, SshFlags } from '../../config/settings.ts';
import type { SshConnection } from '../connection.ts';
import type { SshContext } from '../context.ts';
import { OpensshConnection } from './connection.ts';
import { findLiveMaster } from './live-master.ts';
import { PrivateDir } from './private-dir.ts';
import { startPrivateMaster } from './private-master.ts';

/**
 * Opens an SSH connection with the system's OpenSSH, for what ssh2 cannot do: user certificates, GSSAPI, PKCS#11 and FIDO
 * keys outside an agent, algorithms that it lacks. `flags` are the person's own, from which `settings` were resolved.
 *
 * A master that the person has running for the host is used, and left running. Else one is started that ends with us.
 * Throws a `ConnectError`, a `UsageError` for jump hosts that lead back to themselves, or the reason of
 * `context.signal`. The caller closes the connection.
 */
export async function connectWithOpenssh(
  settings: HostSettings,
  flags: SshFlags,
  context: SshContext,
): Promise<SshConnection> {
  context.signal.throwIfAborted();
  const dir = await PrivateDir.create();
  try {
    const live = await findLiveMaster(settings, context);
    const master = live ?? (await startPrivateMaster(settings, flags, context, dir));
    return new OpensshConnection(master, dir, settings);
  } catch (error) {
    await dir.remove();
    throw error;
  }
}
