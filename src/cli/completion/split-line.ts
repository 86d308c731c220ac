export interface SplitLine {
  /** As the shell would hand them over; the last is the one at the end of the line, and may be empty. */
  readonly words: readonly string[];
  /** The mark around the last word, if it is still open. */
  readonly quote: string;
}

/** Splits what is typed so far as bash does, without expanding anything. */
export function splitLine(line: string): SplitLine {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let i = 0; i < line.length; i++) {
    const letter = line[i] ?? '';
    if (quote === '' && /[ \t\n]/.test(letter)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (letter === quote) quote = '';
    else if (quote === '' && /["']/.test(letter)) {
      quote = letter;
      word ??= '';
    } else if (letter === '\\' && isEscape(quote, line[i + 1])) {
      i += 1;
      word = (word ?? '') + (line[i] ?? '');
    } else word = (word ?? '') + letter;
  }
  return { words: [...words, word ?? ''], quote };
}

/** In double quotes a backslash stands for itself before most characters (bash(1), QUOTING). */
function isEscape(quote: string, next: string | undefined): boolean {
  if (quote === '') return true;
  return quote === '"' && next !== undefined && /["\\$`]/.test(next);
}
