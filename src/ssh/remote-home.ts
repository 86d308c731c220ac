import { posix } from 'node:path';
import { DialError } from '../errors.ts';
import type { SshConnection } from './connection.ts';

/** Set apart from what a login script may print. */
const MARKER = 'tunnel-home:';

/**
 * An absolute path as it is; `~`, `~/x` and relative ones from the remote home, which `home` is asked for only then.
 * Throws a `DialError` for another user's home.
 */
export async function absolutePath(path: string, home: () => Promise<string>): Promise<string> {
  if (path.startsWith('/')) return path;
  if (/^~[^/]/.test(path)) {
    throw new DialError('other-home', `Cannot tell where ${path} is: only ~/ is known, your own home there`, {
      hint: ['Write the path out, from / on.'],
    });
  }
  return posix.join(await home(), path.replace(/^~(?=\/|$)/, '.'));
}

/** Asks the shell, and where there is none `sftp`, whose server starts in the home. Throws a `DialError`. */
export async function findHome(
  connection: Pick<SshConnection, 'exec'>,
  sftp: () => Promise<string | undefined>,
): Promise<string> {
  const home = (await homeFromShell(connection)) ?? (await sftp());
  if (home?.startsWith('/') === true) return home;
  throw new DialError(
    'home-unknown',
    'Cannot find out where the home directory there is: the host offers neither a shell nor SFTP',
    { hint: ['Write the path of the socket out, from / on.'] },
  );
}

async function homeFromShell(connection: Pick<SshConnection, 'exec'>): Promise<string | undefined> {
  // Understood by every shell, fish and csh included.
  const result = await connection.exec(`echo "${MARKER}$HOME"`).catch(() => undefined);
  const line = result?.stdout.split('\n').find((text) => text.startsWith(`${MARKER}/`));
  return line?.slice(MARKER.length).trimEnd();
}
