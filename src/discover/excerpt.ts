import { printable } from '../printable.ts';

/** What the other side says, as a part of one line of ours. */
export function excerpt(text: string): string {
  const clean = printable(text).trim();
  return clean.length <= LONGEST ? clean : `${clean.slice(0, LONGEST)}...`;
}

const LONGEST = 300;
