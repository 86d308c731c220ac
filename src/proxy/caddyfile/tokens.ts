import { UsageError } from '../../errors.ts';

/** A word of a Caddyfile. */
export interface Token {
  readonly text: string;
  /** Where it begins; a line that goes on after a backslash is one line. */
  readonly line: number;
  /** Where it ends: a value in quotes may have several lines. */
  readonly end: number;
  /** In quotes it is a value, whatever it looks like. */
  readonly isQuoted: boolean;
}

/** Refuses what stands on a line: a Caddyfile that is half understood would serve what it should not. */
export type RefuseAt = (line: number, why: string) => UsageError;

export function refusingIn(file: string): RefuseAt {
  return (line, why) => new UsageError('bad-caddyfile', `${file}:${line}: ${why}`);
}

/** `{$NAME}` and `{$NAME:default}`, which Caddy replaces in the text before it reads it. */
export function replaceEnvironment(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  return text.replace(/\{\$([^}:\s]+)(?::([^}]*))?\}/g, (_, name: string, fallback = '') => {
    const value = environment[name];
    return value === undefined || value === '' ? String(fallback) : value;
  });
}

const newline = '\n';

/** Splits into words as Caddy's lexer.go does: quotes, backquotes, comments, and lines that go on after a backslash. */
export function readTokens(text: string, refuse: RefuseAt): readonly Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let continued = 0;
  let at = 0;
  const skip = (length: number): void => {
    const lines = text.slice(at, at + length).split(newline).length - 1;
    if (lines > 0) {
      line += lines + continued;
      continued = 0;
    }
    at += length;
  };
  while (at < text.length) {
    const rest = text.slice(at);
    const goesOn = /^\\\r?\n/.exec(rest);
    if (goesOn !== null) {
      continued++;
      at += goesOn[0].length;
      continue;
    }
    const blank = /^\s+/.exec(rest) ?? /^#[^\n]*/.exec(rest);
    if (blank !== null) {
      skip(blank[0].length);
      continue;
    }
    if (rest.startsWith('<<') && /^<<[\w-]+\r?\n/.test(rest))
      throw refuse(line, 'heredocs are not supported');
    const quoted = /^"((?:\\"|[^"])*)"/.exec(rest) ?? /^`([^`]*)`/.exec(rest);
    if (quoted !== null) {
      const value = rest.startsWith('"') ? (quoted[1] ?? '').replaceAll('\\"', '"') : (quoted[1] ?? '');
      const start = line;
      skip(quoted[0].length);
      tokens.push({ text: value, line: start, end: line, isQuoted: true });
      continue;
    }
    if (/^["`]/.test(rest)) throw refuse(line, 'the closing quote is missing');
    const word = /^(?:\\\S|[^\s\\]|\\(?!\r?\n))+/.exec(rest)?.[0] ?? rest.charAt(0);
    tokens.push({ text: word, line, end: line, isQuoted: false });
    skip(word.length);
  }
  return tokens;
}
