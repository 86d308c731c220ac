/** A paragraph, lines to type, or terms with what each of them is. */
export type Block =
  string | { readonly code: readonly string[] } | { readonly terms: readonly (readonly [string, string])[] };

export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** Longer lines are hard to read. */
export const TEXT_COLUMNS = 100;
const INDENT = '  ';

/** Where it is narrower, what a term is stands below it. */
const BESIDE_COLUMNS = 70;

/** For a terminal of so many columns, or a pager. */
export function textLines({ title, blocks }: Section, columns: number): string[] {
  return [title, '', ...blocks.flatMap((block) => [...blockLines(block, columns), ''])].slice(0, -1);
}

export function blockLines(block: Block, columns: number): string[] {
  if (typeof block === 'string') return wrap(block, columns);
  if ('code' in block) return block.code.map((line) => INDENT + line);
  return termLines(block.terms, columns);
}

/** Each term with its text beside it, or below it where the term is a long one. */
export function termLines(
  terms: readonly (readonly [string, string])[],
  columns: number,
  least = 0,
): string[] {
  const fitting = terms.map(([term]) => term.length).filter((length) => length <= 34);
  const width = columns < BESIDE_COLUMNS ? 4 : Math.max(least, ...fitting) + 2;
  return terms.flatMap(([term, text]) => {
    if (text === '') return [`${INDENT}${term}`];
    const [first = '', ...rest] = wrap(text, columns - INDENT.length - width);
    const below = rest.map((line) => `${INDENT}${' '.repeat(width)}${line}`);
    if (term.length + 2 <= width) return [`${INDENT}${term.padEnd(width)}${first}`, ...below];
    return [`${INDENT}${term}`, `${INDENT}${' '.repeat(width)}${first}`, ...below];
  });
}

export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
