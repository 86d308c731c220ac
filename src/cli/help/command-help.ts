import { commandTable } from '../command-table.ts';
import { help } from '../help.ts';
import { flagTerms, usageLines } from './lists.ts';
import { blockLines, termLines, textLines } from './text.ts';
import { topics } from './topics.ts';
import type { TopicName } from './topic-names.ts';

/** What `tunnel help TOPIC` shows; a topic may be a command. */
export function helpOn(topic: string | undefined): string {
  if (topic === undefined) return help;
  const section = Object.hasOwn(topics, topic) ? topics[topic as TopicName] : undefined;
  return `${(section === undefined ? commandLines(topic) : textLines(section)).join('\n')}\n`;
}

function commandLines(name: string): string[] {
  const entry = commandTable[name];
  if (entry === undefined) return [help];
  const own = flagTerms((_, flag) => entry.flags.includes(flag));
  return [
    ...usageLines(name, entry),
    '',
    ...blockLines(`${entry.about[0]?.toUpperCase()}${entry.about.slice(1)}.`),
    ...(entry.details ?? []).flatMap((paragraph) => ['', ...blockLines(paragraph)]),
    '',
    'Flags:',
    ...termLines(own, 25),
  ];
}
