import { commandTable, type CommandEntry } from '../command-table.ts';
import { flags, type Flag, type FlagName } from '../flags.ts';

type Term = readonly [term: string, text: string];

/** The commands that are for people, in the order of the table. */
export function shownCommands(): [name: string, entry: CommandEntry][] {
  return Object.entries(commandTable).filter(([, { hidden }]) => hidden === undefined);
}

/** `tunnel ls [NAME...]`, one for each way to write it. */
export function usageLines(name: string | undefined, { usage }: CommandEntry): string[] {
  return usage.map((words) => ['tunnel', name, words].filter(Boolean).join(' '));
}

/** Each command with what it does; one that can be written in several ways has it beside the first. */
export function commandTerms(): Term[] {
  return shownCommands().flatMap(([name, entry]) =>
    usageLines(name, entry).map((line, index): Term => [line, index === 0 ? entry.about : '']),
  );
}

/** `-p, --port PORT` with what it is. */
export function flagTerms(wanted: (flag: Flag, name: FlagName) => boolean): Term[] {
  return Object.entries(flags as Readonly<Record<string, Flag>>)
    .filter(([name, flag]) => wanted(flag, name as FlagName))
    .map(([name, flag]) => [flagTerm(name, flag), flag.about]);
}

function flagTerm(name: string, { alias, value }: Flag): string {
  const letter = alias === undefined ? '    ' : `-${alias}, `;
  return `${letter}--${name}${value === undefined ? '' : ` ${value}`}`;
}
