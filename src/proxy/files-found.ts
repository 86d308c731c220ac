import { realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { cleanPath, decodePath } from './path.ts';

/** Something below a root that may be served. */
export interface Served {
  /** Where it is, links followed. */
  readonly path: string;
  readonly kind: 'file' | 'folder';
}

/**
 * The file or folder that an escaped path names below a root; undefined where there is none, or where it may not be
 * served: hidden names, and whatever leads out of the root by `..`, by an escape or by a symlink.
 */
export async function findServed(root: string, path: string): Promise<Served | undefined> {
  const name = fileName(path);
  if (name === undefined) return undefined;
  try {
    const [realRoot, real] = [await realpath(root), await realpath(join(root, name))];
    const inside = relative(realRoot, real);
    // A link may also lead to a hidden file beside it.
    if (inside.split(sep).some((part) => part.startsWith('.'))) return undefined;
    const found = await stat(real);
    if (found.isDirectory()) return { path: real, kind: 'folder' };
    return found.isFile() && !name.endsWith('/') ? { path: real, kind: 'file' } : undefined;
  } catch {
    return undefined;
  }
}

/** The path as the disk has it: undefined where it cannot be one, or names what is hidden. */
function fileName(path: string): string | undefined {
  const bytes = decodePath(path);
  if (bytes === undefined) return undefined;
  const name = cleanPath(Buffer.from(bytes, 'latin1').toString(), true);
  // A backslash separates folders on other systems; NUL ends a name for the system's calls.
  if (/[\0\\\uFFFD]/.test(name)) return undefined;
  return name.split('/').some((part) => part.startsWith('.')) ? undefined : name;
}
