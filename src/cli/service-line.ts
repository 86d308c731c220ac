import { formatDestination } from '../config/destination.ts';
import { UsageError } from '../errors.ts';
import type { Command } from './command.ts';
import { readLife, readSaying, readTarget, type Line } from './line.ts';
import { oneOf } from './session-words.ts';

export function readService(line: Line): Command {
  const { words, flags, expanded } = line;
  const [action, ...rest] = words;
  const print = flags.print === true;
  if (action === 'uninstall' || action === 'status') {
    const session = oneOf(`service ${action}`, rest);
    return { name: 'service', action, session, words: [], print, ...readSaying(flags) };
  }
  if (action !== 'install') {
    throw new UsageError('missing-word', 'tunnel service needs to know what to do', {
      hint: [
        'It is one of: tunnel service install HOST SPEC..., service uninstall NAME, service status NAME',
      ],
    });
  }
  const { destination, ssh } = readTarget({ ...line, words: rest }, 'service install ');
  readLife(flags);
  const user = ssh.user ?? destination.user;
  const port = ssh.port ?? destination.port;
  return {
    name: 'service',
    action,
    session: formatDestination({
      host: destination.host,
      ...(user !== undefined && { user }),
      ...(port !== undefined && { port }),
    }),
    words: withoutWords(expanded, ['service', 'install']).filter((word) => word !== '--print=true'),
    print,
    ...readSaying(flags),
  };
}

function withoutWords(expanded: readonly string[], words: readonly string[]): readonly string[] {
  const rest = [...expanded];
  for (const word of words) rest.splice(rest.indexOf(word), 1);
  return rest;
}
