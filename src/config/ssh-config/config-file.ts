import { open } from 'node:fs/promises';
import { systemCode, TunnelError } from '../../errors.ts';
import { configError } from './config-error.ts';

export interface FileRequirements {
  /** Nobody but the user and root may write it: it can hold commands. */
  readonly mustBePrivate: boolean;
  /** Otherwise a file that is not there is an empty one. */
  readonly mustExist: boolean;
}

/** The text of a configuration file. Throws a `UsageError` ('ssh-config') that says why it cannot be had. */
export async function readConfigFile(file: string, requirements: FileRequirements): Promise<string> {
  try {
    return await read(file, requirements.mustBePrivate);
  } catch (error) {
    const code = systemCode(error);
    if (error instanceof TunnelError || code === undefined) throw error;
    if (code === 'ENOENT' && !requirements.mustExist) return '';
    throw unreadable(file, code);
  }
}

async function read(file: string, mustBePrivate: boolean): Promise<string> {
  const handle = await open(file);
  try {
    const { uid, mode } = await handle.stat();
    const isOthers = uid !== 0 && uid !== process.getuid?.();
    if (mustBePrivate && process.getuid !== undefined && (isOthers || (mode & 0o022) !== 0)) {
      throw configError({ file }, 'others can write to it', [`Make it yours alone: chmod 600 ${file}`]);
    }
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

function unreadable(file: string, code: string): Error {
  switch (code) {
    case 'ENOENT':
      return configError({ file }, 'there is no such file', ['Is the path after -F right?']);
    case 'EISDIR':
      return configError({ file }, 'it is a directory', ['Name the configuration file in it.']);
    case 'EACCES':
      return configError({ file }, 'permission denied', [`Make it readable: chmod u+r ${file}`]);
    default:
      return configError({ file }, code);
  }
}
