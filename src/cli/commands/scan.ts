import { keepSpecs } from '../../config/spec-cache.ts';
import type { Scan } from '../../discover/scan/found.ts';
import { scan as scanHost } from '../../discover/scan/scan.ts';
import { sessionName } from '../../session/control/socket.ts';
import type { SshConnection } from '../../ssh/connection.ts';
import type { ScanCommand } from '../command.ts';
import type { Screens } from '../output/output.ts';
import { scanLines } from '../output/scan-lines.ts';
import { columnsOf, painter } from '../output/screen.ts';
import { visiting } from './visiting.ts';

/** Shows what a host listens on. Fulfils with the exit status; throws what connecting throws. */
export async function scan(command: ScanCommand, screens: Screens = process): Promise<number> {
  const { all, json } = command;
  const visit = await visiting(command, screens, (connection, signal) =>
    scanOver(connection, { all, signal }),
  );
  if ('status' in visit) return visit.status;
  const { result } = visit;
  keepSpecs(sessionName(command.destination, command.ssh), usableSpecs(result));
  const { stdout } = screens;
  if (json) {
    const shown = (found: { system: boolean }): boolean => all || !found.system;
    const document = {
      ...result,
      ports: result.ports.filter(shown),
      sockets: result.sockets.filter(shown),
      folded: [...result.ports, ...result.sockets].filter((found) => !shown(found)).length,
    };
    stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  } else {
    const columns = stdout.isTTY === true ? columnsOf(stdout) : 80;
    stdout.write(`${scanLines(result, { all, columns }, painter(stdout)).join('\n')}\n`);
  }
  return 0;
}

/** Looks at the host over a connection that is there. */
export async function scanOver(
  connection: SshConnection,
  options: { readonly all?: boolean; readonly signal?: AbortSignal },
): Promise<Scan> {
  const { alias, user } = connection.settings;
  return await scanHost(
    {
      alias,
      user,
      exec: (line, timeoutMs) => connection.exec(line, timeoutMs),
      dial: (endpoint, signal) => connection.dial(endpoint, signal),
    },
    options,
  );
}

/** What is worth being offered: what answers in HTTP first, then the other ports and sockets that may be connected to. */
export function usableSpecs({ ports, sockets }: Pick<Scan, 'ports' | 'sockets'>): string[] {
  const usable = [...ports, ...sockets].filter(({ access, system }) => access !== 'no' && !system);
  return [...usable.filter(({ http }) => http !== undefined), ...usable].map(({ spec }) => spec);
}
