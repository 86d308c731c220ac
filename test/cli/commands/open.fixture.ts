import { setTimeout as delay } from 'node:timers/promises';
import { open } from '../../../src/cli/commands/open.ts';
import { ConnectError, ConnectionLostError, type TunnelError } from '../../../src/errors.ts';
import type { Begin, KeptSession } from '../../../src/cli/commands/begin.ts';

// Runs the command on a session that is made up, for what a real one cannot be told to do at the right moment:
// `stuck` never connects and hears nothing, `refused` does not open, `lost` ends by itself, `busy` has a connection
// that never ends.
const [kind] = process.argv.slice(2);
const alive = setInterval(() => {}, 1000);

const begin: Begin = async (_command, { onEvent, signal }) => {
  onEvent?.({ type: 'connecting', host: 'vps', phase: 'connecting' });
  signal?.addEventListener('abort', () => process.stderr.write('Stopping\n'));
  if (kind === 'stuck') return await new Promise<never>(() => {});
  const opening = async (): Promise<void> => {
    if (kind === 'connecting') await delay(3_600_000, undefined, { ...(signal && { signal }) });
    if (kind === 'refused') throw new ConnectError('refused', 'Cannot connect to vps');
    onEvent?.({ type: 'ready', host: 'vps', user: 'deploy', address: '127.0.0.1:22', via: 'ssh' });
    if (kind === 'lost') end(new ConnectionLostError('lost', 'Lost vps'));
  };
  let end!: (error?: TunnelError) => void;
  const closed = new Promise<TunnelError | undefined>((resolve) => {
    end = resolve;
  });
  const opened = opening();
  // As a real one ends when it could not be opened.
  opened.catch(() => end());
  const kept: KeptSession = {
    opened: () => opened,
    closed,
    stopped: false,
    traffic: () => ({ open: kind === 'busy' ? 1 : 0, total: 1, bytesUp: 0, bytesDown: 0 }),
    retry: async () => {},
    close: async (options) => {
      if (kind === 'busy' && (options?.graceMs ?? 0) > 0) await closed;
      end();
    },
  };
  return { kept };
};

try {
  process.exitCode = await open(
    {
      name: 'open',
      destination: { host: 'vps' },
      forwards: [],
      ssh: {},
      transport: 'auto',
      json: process.argv.includes('--json'),
      quiet: false,
      verbosity: 0,
      detach: false,
      browse: false,
      life: { wait: false },
    },
    process,
    begin,
  );
} catch (error) {
  process.stdout.write(`threw ${(error as TunnelError).code}\n`);
} finally {
  clearInterval(alive);
}
