/**
 * Request paths as Caddy treats them (modules/caddyhttp: matchers.go, rewrite.go, CleanPath), so that a Caddyfile means
 * the same here. A path is kept as the client sent it, escapes included; it is decoded only to be compared, byte by
 * byte, since an escape need not be UTF-8.
 */

/** Every escape replaced by its byte; undefined where `%` begins none, which Go answers with 400. */
export function decodePath(path: string): string | undefined {
  if (/%(?![\da-f]{2})/i.test(path)) return undefined;
  return path.replace(/%[\da-f]{2}/gi, (escape) => String.fromCharCode(parseInt(escape.slice(1), 16)));
}

/** Without `.` and `..`, and with repeated slashes merged where `merge` says so. A slash at the end stays. */
export function cleanPath(path: string, merge: boolean): string {
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  const slash = segments.at(-1) === '';
  for (const segment of slash ? segments.slice(0, -1) : segments) {
    if (segment === '..') kept.pop();
    else if (segment !== '.' && (segment !== '' || !merge)) kept.push(segment);
  }
  return kept.length === 0 ? '/' : `/${kept.join('/')}${slash ? '/' : ''}`;
}

/** Whether a pattern of Caddy's matches: `/exact`, `/prefix*`, `*suffix`, `*inside*`, and `*` in the middle of segments. */
export function matchesPath(pattern: string, path: string): boolean {
  if (pattern === '*') return true;
  const merge = !pattern.includes('//');
  // In a pattern with an escape, what is escaped is compared as it stands: %2F is no slash there.
  const escaped = pattern.includes('%');
  const decoded = escaped ? path : decodePath(path);
  if (decoded === undefined) return false;
  const cleaned = lowerCase(cleanPath(decoded, merge));
  return globs(lowerCase(escaped ? pattern : toBytes(pattern)), cleaned);
}

function globs(pattern: string, path: string): boolean {
  const first = pattern.startsWith('*');
  const last = pattern.endsWith('*');
  const stars = pattern.split('*').length - 1;
  if (stars === 0) return pattern === path;
  if (stars === 1 && first) return path.endsWith(pattern.slice(1));
  if (stars === 1 && last) return path.startsWith(pattern.slice(0, -1));
  if (stars === 2 && first && last) return path.includes(pattern.slice(1, -1));
  return matchesGlob(pattern, path);
}

/** As Go's path.Match: a star stays within its segment. */
export function matchesGlob(pattern: string, text: string): boolean {
  const source = pattern.replace(/[.+^${}()|[\]\\*?]/g, (letter) => {
    if (letter === '*') return '[^/]*';
    return letter === '?' ? '[^/]' : `\\${letter}`;
  });
  return new RegExp(`^${source}$`, 's').test(text);
}

/**
 * Takes a prefix off an escaped path, as `uri strip_prefix` does: the path is cleaned first whether or not it begins
 * with the prefix, an escape in it is the same as its letter, and case does not matter.
 */
export function stripPrefix(
  path: string,
  prefix: string,
): { readonly path: string; readonly stripped: boolean } {
  const cleaned = cleanPath(path, !prefix.includes('//'));
  let at = 0;
  for (const wanted of toBytes(prefix)) {
    const escape = wanted === '%' ? undefined : /^%[\da-f]{2}/i.exec(cleaned.slice(at, at + 3))?.[0];
    const found = escape === undefined ? cleaned.charAt(at) : decodePath(escape);
    if (found === undefined || lowerCase(found) !== lowerCase(wanted))
      return { path: cleaned, stripped: false };
    at += escape?.length ?? 1;
  }
  return { path: cleaned.slice(at), stripped: true };
}

/** What `handle_path` takes off for this pattern: what stands before a star at its end, or all of it. */
export function prefixOf(pattern: string): string {
  const prefix = pattern.replace(/\*$/, '').replace(/\/$/, '');
  return prefix.includes('*') ? '' : prefix;
}

/** Of ASCII only: the bytes above are not letters. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function toBytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}
