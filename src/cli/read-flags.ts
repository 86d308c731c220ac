import yargs from 'yargs';
import { UsageError } from '../errors.ts';
import { flags } from './flags.ts';

export type Flags = ReturnType<typeof readFlags>;

/** Reads what `expandFlags` gave. */
export function readFlags(expanded: readonly string[]) {
  return yargs([...expanded])
    .help(false)
    .version(false)
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'greedy-arrays': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'strip-aliased': true,
    })
    .options(flags)
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new UsageError('bad-arguments', message);
    })
    .parseSync();
}
