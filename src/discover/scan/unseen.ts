import { excerpt } from '../excerpt.ts';
import type { FoundPort, FoundSocket } from './found.ts';
import type { Listed } from './listed.ts';

interface Outcome {
  /** Why nothing was listed, if nothing was. */
  readonly told: Listed | string;
  readonly ports: readonly FoundPort[];
  readonly sockets: readonly FoundSocket[];
  readonly prohibited: ReadonlySet<'port' | 'socket'>;
}

/** What could not be seen, a sentence each. */
export function notSeen({ told, ports, sockets, prohibited }: Outcome): string[] {
  return [
    ...(typeof told === 'string' ? [nothing(told)] : ofList(told, ports, sockets)),
    ...refusals(prohibited),
  ];
}

function nothing(why: string): string {
  return `No command could be run there (${excerpt(why)}): only some usual ports and Caddy were tried.`;
}

function ofList(told: Listed, ports: readonly FoundPort[], sockets: readonly FoundSocket[]): string[] {
  const nameless = [...ports, ...sockets].filter(({ process }) => process === undefined).length;
  const notes: string[] = [];
  if (nameless > 0 && told.source === 'netstat') notes.push('netstat does not tell the processes.');
  else if (nameless > 0 && !told.isRoot) {
    notes.push(`The processes of ${nameless} of them, of other users: only root may see those.`);
  }
  if (told.lost.length > 0) {
    const names = told.lost.slice(0, 3).map(excerpt).join(', ');
    notes.push(`Where these sockets are, which were bound to a relative path: ${names}`);
  }
  return notes;
}

function refusals(prohibited: ReadonlySet<'port' | 'socket'>): string[] {
  return [
    ...(prohibited.has('port')
      ? ['The SSH server forwards to none or not to all of these ports (AllowTcpForwarding, PermitOpen).']
      : []),
    ...(prohibited.has('socket')
      ? [
          'The SSH server does not open sockets that you may write to (AllowStreamLocalForwarding, PermitOpen).',
        ]
      : []),
  ];
}
