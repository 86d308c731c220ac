/** What may stand at a position: words typed as they are, or something to be looked up. */
export interface Place {
  readonly literals: readonly string[];
  /** HOST, SPEC, NAME… */
  readonly kinds: readonly string[];
}

/** What may follow `words`, by the lines of a command's usage. */
export function placeAfter(usage: readonly string[], words: readonly string[]): Place {
  const next = usage.flatMap((line) => tokenAfter(tokensOf(line), words) ?? []);
  const alternatives = next.flatMap((token) => token.split('|'));
  return {
    literals: [...new Set(alternatives.filter((token) => /^[a-z]/.test(token)))],
    kinds: [...new Set(alternatives.filter((token) => /^[A-Z]/.test(token)))],
  };
}

/** Without flags, which are completed by themselves, and brackets. */
function tokensOf(line: string): string[] {
  return line
    .split(' ')
    .map((token) => token.replaceAll(/[[\]]/g, ''))
    .filter((token) => !token.startsWith('-'));
}

function tokenAfter(tokens: readonly string[], words: readonly string[]): string | undefined {
  let index = 0;
  for (const word of words) {
    const token = tokens[index];
    if (token === undefined) return undefined;
    if (/^[a-z]/.test(token) && !token.split('|').includes(word)) return undefined;
    if (!token.endsWith('...')) index += 1;
  }
  return tokens[index]?.replace(/\.\.\.$/, '');
}
