import { showSettings } from './channel-refusal.ts';
import { excerpt } from './excerpt.ts';
import { FORWARDING_SETTINGS, type ForwardingSetting } from './forwarding-settings.ts';
import type { Trouble } from './socket-diagnosis.ts';

/** More lines than this help nobody. */
const MOST_SHOWN = 3;

/** The server does not forward to sockets for this user; `why` says what makes us think so. */
export function prohibited(user: string, why: string): Trouble {
  return {
    code: 'socket-forwarding-prohibited',
    what: 'the SSH server does not permit forwarding to it',
    hint: [
      why,
      'In sshd_config: AllowStreamLocalForwarding no or remote, DisableForwarding yes.',
      // session.c, do_authenticated, and channels.c, channel_connect_to_path: what permits no port permits no path.
      'AllowTcpForwarding no or remote, and any PermitOpen but PermitOpen any, shut out sockets as well.',
      'In authorized_keys: restrict, no-port-forwarding or permitopen.',
      toSeeWhatHolds(user),
    ],
  };
}

/** There is nothing wrong with the socket, and ports are permitted, so that only one setting is left. */
export function socketsProhibited(user: string, settings: readonly ForwardingSetting[]): Trouble {
  return {
    code: 'socket-forwarding-prohibited',
    what: 'the SSH server permits ports, but no sockets',
    hint: [
      'A server listens on it and you may write to it; sshd refuses with AllowStreamLocalForwarding no or remote.',
      ...evidence(settings.filter(({ bars }) => bars === 'sockets')),
      'Change that to yes or local in sshd_config there; or let the app listen on a port of localhost there.',
      toSeeWhatHolds(user),
    ],
  };
}

/** Ports are refused as well, so that it is not about the socket. */
export function forwardingProhibited(user: string, settings: readonly ForwardingSetting[]): Trouble {
  const found = settings.filter(({ bars }) => bars !== 'sockets');
  const ofSockets = settings.filter(({ bars }) => bars === 'sockets');
  const [what, ...next] = likely(found);
  return {
    code: 'forwarding-prohibited',
    what,
    hint: [
      ...evidence(found),
      ...evidence(ofSockets),
      ...next,
      // Refused ports do not show whether it is set too.
      ...(ofSockets.length > 0
        ? []
        : ['AllowStreamLocalForwarding no or remote would refuse sockets even then.']),
      toSeeWhatHolds(user),
    ],
  };
}

function likely(found: readonly ForwardingSetting[]): readonly [string, ...string[]] {
  const switches = found.some(({ bars }) => bars === 'all');
  const lists = found.some(({ bars }) => bars === 'unlisted');
  if (switches && !lists) {
    return [
      'forwarding seems to be switched off on the SSH server',
      'It refuses ports as well. Whoever runs the server can permit it.',
    ];
  }
  if (lists && !switches) {
    return [
      'the SSH server seems to permit listed ports only',
      'PermitOpen and permitopen list ports; a socket cannot be listed, and is refused like every other port.',
      'Let the app listen on a port that is listed, or have the list removed.',
    ];
  }
  return [
    'the SSH server permits neither sockets nor all ports',
    'In sshd_config: AllowTcpForwarding no or remote, DisableForwarding yes, or any PermitOpen but PermitOpen any.',
    'In authorized_keys: restrict, no-port-forwarding or permitopen.',
  ];
}

function evidence(settings: readonly ForwardingSetting[]): string[] {
  return settings
    .slice(0, MOST_SHOWN)
    .map(({ place, text }) => `This may be why: ${excerpt(place)}: ${excerpt(text)}`);
}

function toSeeWhatHolds(user: string): string {
  return `To see what holds: ${showSettings(user, FORWARDING_SETTINGS)}`;
}
