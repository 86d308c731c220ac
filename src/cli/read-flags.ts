import { UsageError } from '../errors.ts';
import { beforeDashes } from './expand-flags.ts';
import { flags } from './flags.ts';

type Parsed = Awaited<ReturnType<typeof parseFlags>>;

export type Flags = Pick<Parsed, '_' | 'verbose'> & Partial<Parsed>;

/** Reads what `expandFlags` gave. yargs takes longer to load than all of the rest: words alone do without it. */
export async function readFlags(expanded: readonly string[]): Promise<Flags> {
  const words = beforeDashes(expanded);
  if (words.some((word) => word.startsWith('--'))) return await parseFlags(expanded);
  return { _: [...words, ...expanded.slice(words.length + 1)], verbose: 0 };
}

async function parseFlags(expanded: readonly string[]) {
  const { default: yargs } = await import('yargs');
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
