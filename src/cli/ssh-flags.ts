import { parseDestination } from '../config/destination.ts';
import { checkOption } from '../config/option-text.ts';
import type { SshFlags } from '../config/settings.ts';
import { quoted } from '../endpoint.ts';
import { UsageError } from '../errors.ts';
import type { Flags } from './read-flags.ts';

/** As in ssh, the first `-p` and `-l` and the last `-F` count, and a second `-J` is refused. */
export function sshFlags(parsed: Flags, family: 'ipv4' | 'ipv6' | undefined): SshFlags {
  const port = parsed.port?.map(parsePort)[0];
  const user = parsed.user?.[0];
  const configFile = parsed.config?.at(-1);
  const options = [
    ...(parsed.option ?? []).map(checkOption),
    ...(parsed.gateway ? ['GatewayPorts=yes'] : []),
  ];
  return {
    ...(port !== undefined && { port }),
    ...(user !== undefined && { user }),
    ...(parsed.identity && { identityFiles: parsed.identity }),
    ...(parsed.jump && { jump: checkJump(parsed.jump) }),
    ...(configFile !== undefined && { configFile }),
    ...(options.length > 0 && { options }),
    ...(parsed.compress && { compression: true }),
    ...(family && { addressFamily: family === 'ipv4' ? ('inet' as const) : ('inet6' as const) }),
  };
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) {
    throw new UsageError('bad-port', `-p ${quoted(text)} is not a port`, {
      hint: ['A port is a number from 1 to 65535.'],
    });
  }
  return port;
}

function checkJump(jumps: readonly string[]): string {
  const [jump = '', second] = jumps;
  if (second !== undefined) {
    throw new UsageError('repeated-flag', `A second -J ${quoted(second)} is not possible`, {
      hint: [`Write all hops in one, the nearest first: -J ${jumps.join(',')}`],
    });
  }
  if (jump !== 'none') for (const hop of jump.split(',')) parseDestination(hop);
  return jump;
}
