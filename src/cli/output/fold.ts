import { stripVTControlCharacters } from 'node:util';

/** Where it is narrower there is no room for a table: each of its rows takes several lines, and nothing is left out. */
export const TABLE_COLUMNS = 60;

/**
 * The pieces on one line with a space between them, or on several, indented, where that is longer than the terminal is
 * wide. A piece stays whole, however long it is: what is copied must be. Spaces in front of it are for the middle of a
 * line.
 */
export function fold(pieces: readonly string[], columns: number, indent: string): string {
  const [first = '', ...others] = pieces;
  let text = first;
  let length = width(first);
  for (const piece of others) {
    const added = width(` ${piece}`);
    const fits = length + added <= columns;
    const start = `${indent}${piece.trimStart()}`;
    text += fits ? ` ${piece}` : `\n${start}`;
    length = fits ? length + added : width(start);
  }
  return text;
}

function width(text: string): number {
  return Array.from(stripVTControlCharacters(text)).length;
}
