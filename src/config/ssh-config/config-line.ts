import type { UsageError } from '../../errors.ts';
import { configError, type Place } from './config-error.ts';
import { splitWords } from './split-words.ts';

/** One line that says something. */
export interface ConfigLine {
  /** In lower case. */
  readonly keyword: string;
  /** What follows, split into words and without quotes. */
  readonly words: readonly string[];
  /** What follows, as written: a command is taken whole. */
  readonly text: string;
  readonly place: Place;
  /** The error for this line. */
  refuse(problem: string, hint?: readonly string[]): UsageError;
}

/** The keyword, which may be quoted, and what follows; one "=" may stand between them (misc.c, strdelim). */
const DIRECTIVE = /^[ \t\r]*(?:"([^"]+)"|([^ \t\r="][^ \t\r=]*))[ \t\r]*(?:=[ \t\r]*)?(.*)$/s;

/** Reads a line of a configuration file, or the value of an `-o`; undefined if it is empty or a comment. */
export function readLine(source: string, file?: string, number?: number): ConfigLine | undefined {
  // Form feeds, too, but only at the end (readconf.c, process_config_line_depth).
  const line = source.replace(/[ \t\r\n\f]+$/, '');
  if (line === '' || /^[ \t]*#/.test(line)) return undefined;
  const [, quoted, bare, text = ''] = DIRECTIVE.exec(line) ?? [];
  const key = quoted ?? bare;
  const place: Place = { file, line: number, key: key ?? line };
  const refuse = (problem: string, hint?: readonly string[]): UsageError => configError(place, problem, hint);
  if (key === undefined) throw refuse('it has no keyword, or a quotation mark is not closed');
  if (text === '') throw refuse('it has no value');
  const words = splitWords(text, { comments: true });
  if (words === undefined) throw refuse('a quotation mark is not closed');
  return { keyword: key.toLowerCase(), words, text, place, refuse };
}
