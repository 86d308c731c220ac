import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The files that an absolute pattern with `*`, `?` and `[…]` names, sorted, as glob(3) finds them. */
export function findFiles(pattern: string): string[] {
  let found = ['/'];
  for (const segment of pattern.split('/').filter((part) => part !== '')) {
    found = found.flatMap((directory) => entries(directory, segment));
  }
  return found;
}

function entries(directory: string, segment: string): string[] {
  // Whether a plain name is there shows when it is read.
  if (!/[*?[]/.test(segment)) return [join(directory, segment)];
  const pattern = globToRegExp(segment);
  const visible = namesIn(directory).filter((name) => segment.startsWith('.') || !name.startsWith('.'));
  return visible
    .filter((name) => pattern.test(name))
    .toSorted()
    .map((name) => join(directory, name));
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
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
