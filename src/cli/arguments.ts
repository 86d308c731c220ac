import { UsageError } from '../errors.ts';
import type { Command, CommandName, Saying } from './command.ts';
import { commandReaders, type CommandReader } from './command-readers.ts';
import { commandTable, openEntry, type CommandEntry } from './command-table.ts';
import { lastOf, type Line } from './line.ts';
import { beforeDashes, expandFlags } from './expand-flags.ts';
import { flags as flagTable, type FlagName } from './flags.ts';
import { readFlags } from './read-flags.ts';

/** A command with what it was read from. */
export interface ReadLine {
  readonly command: Command;
  readonly entry: CommandEntry;
  readonly read: CommandReader;
  /** Absent where help or the version was asked for. */
  readonly line?: Line;
}

/** Reads the words after `tunnel`. Throws a `UsageError` that names the word and says what would be right. */
export async function parseArguments(argv: readonly string[]): Promise<Command> {
  return (await readLine(argv)).command;
}

export async function readLine(argv: readonly string[]): Promise<ReadLine> {
  const name = commandName(expandFlags(argv));
  const entry = (name !== undefined ? commandTable[name] : undefined) ?? openEntry;
  const expanded = expandFlags(argv, entry.letters);
  const read = commandReaders[name ?? 'open'];
  const flags = await readFlags(expanded);
  if (flags.help)
    return { entry, read, command: { name: 'help', ...(name !== undefined && { topic: name }) } };
  if (flags.version) return { entry, read, command: { name: 'version' } };
  refuseFlags(expanded, entry, name);
  const words = flags._.map(String).slice(name === undefined ? 0 : 1);
  const line = { words, flags, expanded };
  const command = read(line);
  const said = 'json' in command ? { ...command, ...loudness(expanded, flags.verbose) } : command;
  return { command: said, entry, read, line };
}

/** The first word may name a command; after `--` it is a host, whatever it is called. */
function commandName(expanded: readonly string[]): CommandName | undefined {
  const first = beforeDashes(expanded).find((word) => !word.startsWith('--'));
  return first !== undefined && Object.hasOwn(commandTable, first) ? (first as CommandName) : undefined;
}

function refuseFlags(expanded: readonly string[], entry: CommandEntry, name: string | undefined): void {
  const given = beforeDashes(expanded).filter((word) => word.startsWith('--'));
  const names = given.map((word) => /^--([^=]*)/.exec(word)?.[1] as FlagName);
  const wrong = names.find((flag) => !entry.flags.includes(flag));
  if (wrong === undefined) return;
  const command = name === undefined ? 'tunnel HOST' : `tunnel ${name}`;
  const flag = flagTable[wrong];
  const letter = 'alias' in flag ? ` (-${flag.alias})` : '';
  throw new UsageError('flag-out-of-place', `${command} takes no --${wrong}${letter}`, {
    hint: ['tunnel --help shows what each command takes.'],
  });
}

/** Of `-q` and `-v` the last one counts. */
function loudness(expanded: readonly string[], verbosity: number): Pick<Saying, 'quiet' | 'verbosity'> {
  const last = lastOf(expanded, 'verbose', 'quiet');
  return { quiet: last === 'quiet', verbosity: last === 'verbose' ? verbosity : 0 };
}
