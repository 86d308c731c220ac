import { lstatSync } from 'node:fs';
import { configDirectory, runtimeDirectory, stateDirectory } from '../../config/directories.ts';
import { systemCode } from '../../errors.ts';
import { controlSockets, isAlive } from '../control/socket.ts';
import { failed, ok, warning, type Outcome, type Report } from './finding.ts';

/** Our own directories: whether they are there, are ours and are private. */
export async function checkOwnFiles(report: Report): Promise<void> {
  const places = [
    ['configuration', configDirectory(), false],
    ['state', stateDirectory(), false],
    ['control sockets', runtimeDirectory(), true],
  ] as const;
  for (const [name, path, mustBePrivate] of places) {
    await report.step('directory', async () => directory(name, path, mustBePrivate));
  }
}

function directory(name: string, path: string, mustBePrivate: boolean): Outcome {
  try {
    const { mode, uid } = lstatSync(path);
    const us = process.getuid?.();
    const bits = (mode & 0o777).toString(8).padStart(3, '0');
    const bad = mustBePrivate ? failed : warning;
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
    return ok(`The directory for ${name} is private: ${path}`);
  } catch (error) {
    if (systemCode(error) === 'ENOENT')
      return ok(`The directory for ${name} is made when it is needed: ${path}`);
    return failed(`The directory for ${name}, ${path}, cannot be looked at: ${String(error)}`);
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
