import { closest } from '../closest.ts';
import { TunnelError } from '../errors.ts';
import { hosts, profiles } from './completion/known.ts';
import { readPartialLine } from './completion/read-line.ts';
import { shownCommands } from './help/lists.ts';

/** What fails when a word that was meant otherwise is taken for a host. */
const CODES: readonly string[] = ['nothing-to-open', 'unknown-host', 'bad-spec'];

/**
 * What the first word may have been meant as: a misspelt command, profile or host is read as a host that nobody knows.
 * Nothing for a host that is in a file of the person's.
 */
export function suggestions(argv: readonly string[], error: unknown): string[] {
  if (!(error instanceof TunnelError) || !CODES.includes(error.code)) return [];
  const { command, words, values } = readPartialLine([...argv, '']);
  const [word] = words;
  if (command !== undefined || word === undefined) return [];
  const known = [...profiles(), ...hosts(values.get('config'))].map(({ value }) => value);
  if (known.includes(word)) return [];
  const similar = closest(
    word,
    shownCommands().map(([name]) => name),
  );
  if (similar !== undefined) return [`Did you mean the command tunnel ${similar}?`];
  const place = closest(word, known);
  return place === undefined ? [] : [`Did you mean ${place}?`];
}
