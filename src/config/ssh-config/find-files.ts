import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** The files that an absolute pattern with `*`, `?` and `[…]` names, sorted, as glob(3) finds them. */
export async function findFiles(pattern: string): Promise<string[]> {
  let found = ['/'];
  for (const segment of pattern.split('/').filter((part) => part !== '')) {
    const next = await Promise.all(found.map((directory) => entries(directory, segment)));
    found = next.flat();
  }
  return found;
}

async function entries(directory: string, segment: string): Promise<string[]> {
  // Whether a plain name is there shows when it is read.
  if (!/[*?[]/.test(segment)) return [join(directory, segment)];
  const names = await readdir(directory).catch(() => []);
  const pattern = globToRegExp(segment);
  const visible = names.filter((name) => segment.startsWith('.') || !name.startsWith('.'));
  return visible
    .filter((name) => pattern.test(name))
    .toSorted()
    .map((name) => join(directory, name));
}

function globToRegExp(glob: string): RegExp {
  const source = glob.replace(/\[[!^]?\]?[^\]]*\]|[\\^$.*+?()[\]{}|]/g, (part) => {
    if (part === '*') return '.*';
    if (part === '?') return '.';
    if (part.length === 1) return `\\${part}`;
    return part.replace(/^\[[!^]/, '[^').replaceAll('\\', '\\\\');
  });
  return new RegExp(`^${source}$`, 's');
}
