import { UsageError } from '../errors.ts';
import { shellNames, type Command } from './command.ts';
import type { Line } from './line.ts';

export function readCompletion({ words }: Line): Command {
  const [first, second, ...more] = words;
  const install = first === 'install';
  const named = install ? second : first;
  const shell = shellNames.find((name) => name === named);
  if (
    more.length > 0 ||
    (!install && second !== undefined) ||
    (named !== undefined && shell === undefined) ||
    first === undefined
  ) {
    throw new UsageError('missing-word', 'tunnel completion needs to know the shell', {
      hint: [`It is one of: ${shellNames.join(', ')}; tunnel completion install sets it up.`],
    });
  }
  return { name: 'completion', install, ...(shell !== undefined && { shell }) };
}
