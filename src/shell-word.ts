import { printable } from './printable.ts';

/** A word of a command that the person may copy, quoted for the shell where it has to be. */
export function shellWord(text: string): string {
  const word = printable(text);
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
