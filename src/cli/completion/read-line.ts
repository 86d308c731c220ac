import { commandTable, openEntry, type CommandEntry } from '../command-table.ts';
import { flagsByName, letterNames, type Flag, type FlagName } from '../flags.ts';

/** A command line that is still being typed. */
export interface PartialLine {
  readonly command: string | undefined;
  readonly entry: CommandEntry;
  /** The words before the cursor that are no flags, without the command. */
  readonly words: readonly string[];
  /** The values of flags so far. */
  readonly values: ReadonlyMap<FlagName, string>;
  /** The flag whose value the cursor is at. */
  readonly flag: { readonly name: FlagName; readonly flag: Flag } | undefined;
  /** What stands at the cursor, without `--flag=` where it is a value. */
  readonly current: string;
  /** How `current` begins on the line: `--flag=`, or nothing. */
  readonly prefix: string;
  /** After `--` nothing is a flag. */
  readonly flagsEnded: boolean;
}

/** Reads as `parseArguments` does, but takes whatever is there. The last word is the one at the cursor. */
export function readPartialLine(typed: readonly string[]): PartialLine {
  const before = typed.slice(0, -1);
  const current = typed.at(-1) ?? '';
  const command = commandOf(before);
  const entry = (command === undefined ? undefined : commandTable[command]) ?? openEntry;
  const { words, values, waiting, flagsEnded } = readWords(before, entry);
  const [, joined, value] = /^--([\w-]+)=(.*)$/s.exec(current) ?? [];
  const name = waiting ?? (flagsEnded ? undefined : (joined as FlagName | undefined));
  const flag = name === undefined ? undefined : flagsByName.get(name);
  const isJoined = waiting === undefined && flag !== undefined;
  return {
    command,
    entry,
    words: command === undefined ? words : words.slice(1),
    values,
    flag: name === undefined || flag === undefined ? undefined : { name, flag },
    current: isJoined ? (value ?? '') : current,
    prefix: isJoined ? `--${joined}=` : '',
    flagsEnded,
  };
}

/** The first word that is no flag and no flag's value, if it names a command. */
function commandOf(before: readonly string[]): string | undefined {
  const end = before.indexOf('--');
  const { words } = readWords(end === -1 ? before : before.slice(0, end), openEntry);
  const [first] = words;
  return first !== undefined && Object.hasOwn(commandTable, first) ? first : undefined;
}

function readWords(before: readonly string[], { letters = {} }: CommandEntry) {
  const words: string[] = [];
  const values = new Map<FlagName, string>();
  let waiting: FlagName | undefined;
  let flagsEnded = false;
  for (const word of before) {
    if (waiting !== undefined) {
      values.set(waiting, word);
      waiting = undefined;
    } else if (flagsEnded || !word.startsWith('-') || word === '-') words.push(word);
    else if (word === '--') flagsEnded = true;
    else waiting = readFlag(word, letters, values);
  }
  return { words, values, waiting, flagsEnded };
}

/** The flag that takes the next word as its value, if it does. */
function readFlag(
  word: string,
  letters: Readonly<Record<string, FlagName>>,
  values: Map<FlagName, string>,
): FlagName | undefined {
  const [, long, value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  if (long !== undefined) {
    if (flagsByName.get(long)?.type !== 'string') return undefined;
    if (value === undefined) return long as FlagName;
    values.set(long as FlagName, value);
    return undefined;
  }
  const rest = Array.from(word.slice(1));
  for (const [index, letter] of rest.entries()) {
    const name = letters[letter] ?? letterNames.get(letter);
    if (name === undefined || flagsByName.get(name)?.type !== 'string') continue;
    const joined = rest.slice(index + 1).join('');
    if (joined === '') return name;
    values.set(name, joined);
    return undefined;
  }
  return undefined;
}
