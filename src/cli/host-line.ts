import { quoted } from '../endpoint.ts';
import { UsageError } from '../errors.ts';
import type { Command, Target } from './command.ts';
import { readLife, readSaying, readTarget, readVpn, type Line } from './line.ts';

/** `tunnel exec HOST SPEC… -- COMMAND` */
export function readExec(line: Line): Command {
  const dashes = line.expanded.indexOf('--');
  const command = dashes === -1 ? [] : line.expanded.slice(dashes + 1);
  const words = line.words.slice(0, line.words.length - command.length);
  if (command.length === 0 || command[0] === '') {
    throw new UsageError('missing-word', 'tunnel exec needs a command after --', {
      hint: [`For example: tunnel exec ${words.join(' ') || 'vps 8081'} -- sh -c 'curl "$TUNNEL_URL"'`],
    });
  }
  const expanded = line.expanded.slice(0, dashes);
  return {
    name: 'exec',
    life: readLife(line.flags),
    command,
    ...readVpn(line.flags),
    ...readTarget({ ...line, words, expanded }, 'exec '),
  };
}

/** A host alone. */
export function readHost(line: Line, command: string): Omit<Target, 'forwards'> {
  const [, extra] = line.words;
  const { forwards, ...target } = readTarget({ ...line, words: line.words.slice(0, 1) }, `${command} `);
  if (extra !== undefined || forwards !== undefined) {
    throw new UsageError(
      'unexpected-word',
      `tunnel ${command} takes a host alone, not ${quoted(extra ?? '')}`,
      {
        hint: [`Write: tunnel ${command} ${target.destination.host}`],
      },
    );
  }
  return target;
}

/** `tunnel doctor [HOST [SPEC…]]` */
export function readDoctor(line: Line): Command {
  if (line.words.length === 0 && line.flags.forward === undefined) {
    return { name: 'doctor', about: 'installation', ...readSaying(line.flags) };
  }
  return { name: 'doctor', about: 'host', ...readTarget(line, 'doctor '), ...readVpn(line.flags) };
}
