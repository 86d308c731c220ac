import { marks } from './marks.ts';

/** Cuts to a number of columns, with an ellipsis where something is left out. */
export function cut(text: string, columns: number): string {
  const characters = Array.from(text);
  if (characters.length <= columns) return text;
  const kept = columns - marks.cut.length;
  return kept < 0 ? '' : `${characters.slice(0, kept).join('')}${marks.cut}`;
}

/** The same from the left: of a path the end tells most. */
export function cutLeft(text: string, columns: number): string {
  const characters = Array.from(text);
  if (characters.length <= columns) return text;
  const kept = columns - marks.cut.length;
  return kept < 0 ? '' : `${marks.cut}${characters.slice(characters.length - kept).join('')}`;
}
