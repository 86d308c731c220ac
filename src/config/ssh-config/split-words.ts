const QUOTED = String.raw`"((?:\\['"\\]|\\(?!['"\\])|[^"\\])*)"|'((?:\\['"\\]|\\(?!['"\\])|[^'\\])*)'`;
const WORD = new RegExp(String.raw`^(?:\\['"\\ ]|${QUOTED}|[^ \t"'])+`);
const ESCAPED_OR_QUOTED = new RegExp(String.raw`\\(['"\\ ])|${QUOTED}`, 'g');

/**
 * Words without their quotes, as misc.c (argv_split) makes them; undefined if a quotation mark is not closed. A word
 * that begins with `#` ends them where `comments` may follow.
 */
export function splitWords(text: string, { comments }: { readonly comments: boolean }): string[] | undefined {
  const words: string[] = [];
  for (let rest = text.trimStart(); rest !== ''; rest = rest.trimStart()) {
    if (comments && rest.startsWith('#')) break;
    const word = WORD.exec(rest)?.[0] ?? '';
    rest = rest.slice(word.length);
    if (/^["']/.test(rest)) return undefined;
    words.push(unquote(word));
  }
  return words;
}

function unquote(word: string): string {
  return word.replace(ESCAPED_OR_QUOTED, (_, escaped?: string, double?: string, single?: string) => {
    return escaped ?? (double ?? single ?? '').replace(/\\(['"\\])/g, '$1');
  });
}
