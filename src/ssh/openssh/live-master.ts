import { bracketed } from '../../endpoint.ts';
import type { HostSettings } from '../../config/settings.ts';
import type { SshContext } from '../context.ts';
import type { Master } from './master.ts';
import { MuxClient } from './mux-client.ts';

/**
 * The person's own master, if one answers on the configured ControlPath. It is never ended. As long as we are connected
 * to it, it does not take itself for unused (ControlPersist). Throws the reason of `context.signal`.
 */
export async function findLiveMaster(
  settings: HostSettings,
  context: Pick<SshContext, 'debug'> & Partial<Pick<SshContext, 'signal'>>,
): Promise<Master | undefined> {
  const controlPath = settings.options.get('controlpath')?.[0];
  if (controlPath === undefined || controlPath.toLowerCase() === 'none') return undefined;
  const mux = await MuxClient.connect(controlPath, context.signal).catch((error: unknown) => {
    context.signal?.throwIfAborted();
    context.debug(`no master at ${controlPath}: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (mux === undefined) return undefined;
  context.debug(`using the master at ${controlPath}`);
  return {
    controlPath,
    mux,
    address: `${bracketed(settings.hostname)}:${settings.port}`,
    gone: mux.closed.then(() => `the ssh that shared it (${controlPath}) has ended it`),
    end: () => mux.destroy(),
  };
}
