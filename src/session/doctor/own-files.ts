import { accessSync, constants, existsSync, lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { configDirectory, runtimeDirectory, stateDirectory } from '../../config/directories.ts';
import { systemCode } from '../../errors.ts';
import { controlSockets, isAlive } from '../control/socket.ts';
import { failed, ok, warning, type Outcome, type Report } from './finding.ts';

/** Our own directories: whether they can be used, are ours and are private. No session opens without the last one. */
export async function checkOwnFiles(report: Report): Promise<void> {
  const places: readonly Place[] = [
    { name: 'configuration', path: configDirectory(), variable: 'TUNNEL_CONFIG_DIR', bad: warning },
    { name: 'state', path: stateDirectory(), variable: 'TUNNEL_STATE_DIR', bad: warning },
    { name: 'control sockets', path: runtimeDirectory(), variable: 'TUNNEL_RUNTIME_DIR', bad: failed },
  ];
  for (const place of places) await report.step('directory', async () => directory(place));
}

interface Place {
  readonly name: string;
  readonly path: string;
  /** Chooses another. */
  readonly variable: string;
  /** What it is where it cannot be used. */
  readonly bad: typeof failed;
}

function directory(place: Place): Outcome {
  const { name, path, bad } = place;
  try {
    const { mode, uid } = lstatSync(path);
    const us = process.getuid?.();
    const bits = (mode & 0o777).toString(8).padStart(3, '0');
    if ((mode & 0o170000) !== 0o040000) return bad(`The directory for ${name}, ${path}, is not a directory`);
    if (us !== undefined && uid !== us) {
      return bad(`The directory for ${name}, ${path}, belongs to user ${uid}, and this is user ${us}`, [
        `Put it right: sudo chown ${us} ${path}`,
      ]);
    }
    if ((mode & 0o077) !== 0) {
      return bad(`Others may enter the directory for ${name}, ${path}: its mode is ${bits}, not 700`, [
        `Put it right: chmod 700 ${path}`,
      ]);
    }
    if (!isWritable(path)) return unwritable(place, path);
    return ok(`The directory for ${name} is private: ${path}`);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT')
      return bad(`The directory for ${name}, ${path}, cannot be looked at: ${String(error)}`, [
        another(place),
      ]);
    const above = nearest(dirname(path));
    if (!isWritable(above)) return unwritable(place, above);
    return ok(`The directory for ${name} is made when it is needed: ${path}`);
  }
}

function unwritable(place: Place, where: string): Outcome {
  const { name, path, bad } = place;
  const what = where === path ? 'may not be written to' : `cannot be made: ${where} may not be written to`;
  return bad(`The directory for ${name}, ${path}, ${what}`, [another(place)]);
}

function another({ variable }: Place): string {
  return `Choose another: export ${variable}=DIRECTORY`;
}

/** The lowest directory of a path that is there. */
function nearest(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearest(dirname(path));
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Control sockets that no process answers on; the next command removes them. */
export async function checkLeftovers(report: Report): Promise<void> {
  await report.step('leftovers', async () => {
    const sockets = controlSockets();
    const alive = await Promise.all(sockets.map(isAlive));
    const dead = sockets.filter((_, index) => alive[index] === false);
    if (dead.length === 0) return ok(`No leftover control sockets; ${sockets.length} in use`);
    return warning(
      `${dead.length} control ${dead.length === 1 ? 'socket was' : 'sockets were'} left by processes that are gone`,
      ['The next tunnel ls removes them.', ...dead.slice(0, 3)],
    );
  });
}
