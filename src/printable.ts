/**
 * The text as one line without control characters. What is shown may come from the other side or from a file name,
 * and must not be able to move the cursor, retitle the terminal or start a line of its own.
 */
export function printable(text: string): string {
  return text
    .replaceAll(/\s*[\n\p{Zl}\p{Zp}]\s*/gu, ' ')
    .replaceAll('\t', ' ')
    .replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, '\uFFFD');
}
