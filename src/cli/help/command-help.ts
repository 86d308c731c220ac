import { commandTable } from '../command-table.ts';
import { help } from '../help.ts';
import { flagTerms, usageLines } from './lists.ts';
import { blockLines, TEXT_COLUMNS, termLines, textLines } from './text.ts';
import { topics } from './topics.ts';
import type { TopicName } from './topic-names.ts';

/** What `tunnel help TOPIC` shows in a terminal of so many columns; a topic may be a command. */
export function helpOn(topic: string | undefined, terminalColumns = TEXT_COLUMNS): string {
  const columns = Math.min(terminalColumns, TEXT_COLUMNS);
  if (topic === undefined) return help(columns);
  const section = Object.hasOwn(topics, topic) ? topics[topic as TopicName] : undefined;
  return `${(section === undefined ? commandLines(topic, columns) : textLines(section, columns)).join('\n')}\n`;
}

function commandLines(name: string, columns: number): string[] {
  const entry = commandTable[name];
  if (entry === undefined) return [help(columns)];
  const own = flagTerms((_, flag) => entry.flags.includes(flag));
  return [
    ...usageLines(name, entry),
    '',
    ...blockLines(`${entry.about[0]?.toUpperCase()}${entry.about.slice(1)}.`, columns),
    ...(entry.details ?? []).flatMap((paragraph) => ['', ...blockLines(paragraph, columns)]),
    '',
    'Flags:',
    ...termLines(own, columns, 25),
  ];
}
