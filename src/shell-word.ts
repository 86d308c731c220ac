import { printable } from './printable.ts';

/** A word of a command that the person may copy, quoted for the shell where it has to be. */
export function shellWord(text: string): string {
  const word = printable(text);
  return /^[\w@%+=:,./-]+$/.test(word) ? word : shellQuoted(word);
}

/** One word of a command that a shell of POSIX runs, whatever is in it. */
export function shellQuoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
