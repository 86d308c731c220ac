import { closest } from '../closest.ts';
import { quoted } from '../endpoint.ts';
import { UsageError } from '../errors.ts';
import type { Command, CommandName } from './command.ts';
import { commandTable } from './command-table.ts';
import { readCompletion } from './completion-line.ts';
import { topicNames } from './help/topic-names.ts';
import { readDoctor, readExec, readHost } from './host-line.ts';
import { readLife, readSaying, readTarget, readVpn, type Line } from './line.ts';
import { readProfileCommand, readSave } from './profile-lines.ts';
import { readService } from './service-line.ts';
import { allOf, oneOf, readForwards, someOf } from './session-words.ts';

/** Reads the line of a command. Throws a `UsageError`. */
export type CommandReader = (line: Line) => Command;

/** `open` is `tunnel HOST SPEC…`. */
export const commandReaders: Readonly<Record<CommandName | 'open', CommandReader>> = {
  open: (line) => ({
    name: 'open',
    detach: line.flags.detach === true,
    browse: line.flags.open === true,
    life: readLife(line.flags),
    ...readVpn(line.flags),
    ...readTarget(line),
  }),
  help: readHelp,
  completion: readCompletion,
  explain: (line) => ({ name: 'explain', life: readLife(line.flags), ...readTarget(line, 'explain ') }),
  scan: (line) => ({ name: 'scan', ...readHost(line, 'scan'), all: line.flags.all === true }),
  doctor: readDoctor,
  exec: readExec,
  ls: ({ words, flags }) => ({ name: 'ls', names: words, ...readSaying(flags) }),
  status: ({ words, flags }) => ({ name: 'status', names: words, ...readSaying(flags) }),
  add: (line) => readForwards('add', line),
  cancel: (line) => readForwards('cancel', line),
  stop: ({ words, flags }) => ({
    name: 'stop',
    names: flags.all === true ? allOf(words) : someOf('stop', words, ', or all of them: tunnel stop --all'),
    ...readSaying(flags),
  }),
  retry: ({ words, flags }) => ({ name: 'retry', names: words, ...readSaying(flags) }),
  logs: ({ words, flags }) => ({
    name: 'logs',
    session: oneOf('logs', words),
    follow: flags.follow === true,
    ...readSaying(flags),
  }),
  attach: ({ words, flags }) => ({ name: 'attach', session: oneOf('attach', words), ...readSaying(flags) }),
  service: readService,
  save: readSave,
  profile: readProfileCommand,
  background: () => ({ name: 'background' }),
};

function readHelp({ words }: Line): Command {
  const [topic, ...more] = words;
  if (more.length > 0) {
    throw new UsageError('unexpected-word', `tunnel help takes one word, not ${words.length}`);
  }
  if (topic === undefined) return { name: 'help' };
  const topics = [...Object.keys(commandTable), ...topicNames];
  if (topics.includes(topic)) return { name: 'help', topic };
  const similar = closest(topic, topics);
  throw new UsageError('unknown-topic', `There is no help on ${quoted(topic)}`, {
    hint: [similar === undefined ? `There is: ${topics.join(', ')}` : `Did you mean tunnel help ${similar}?`],
  });
}
