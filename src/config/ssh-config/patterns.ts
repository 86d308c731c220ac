/** Whether `text` is what `pattern` describes, in which `*` is any number of characters and `?` is one. */
export function matchesPattern(text: string, pattern: string): boolean {
  const source = pattern.replace(/[\\^$.*+?()[\]{}|]/g, (character) => {
    if (character === '*') return '.*';
    return character === '?' ? '.' : `\\${character}`;
  });
  return new RegExp(`^${source}$`, 's').test(text);
}

/** ssh_config(5), PATTERNS: a comma-separated list; one `!pattern` that matches outweighs all others. */
export function matchesPatternList(text: string, list: string): boolean {
  const patterns = list.split(',');
  const negated = patterns.some(
    (pattern) => pattern.startsWith('!') && matchesPattern(text, pattern.slice(1)),
  );
  return !negated && patterns.some((pattern) => !pattern.startsWith('!') && matchesPattern(text, pattern));
}

/** Host names are compared without regard to case. */
export function matchesHostList(host: string, list: string): boolean {
  return matchesPatternList(host.toLowerCase(), list.toLowerCase());
}
