import { isIPv4 } from 'node:net';
import type { Forward } from '../forward/forward.ts';

/** Who else can reach what a forward listens on, as a sentence for the person; undefined if nobody can. */
export function exposure(
  { spec, bound }: Pick<Forward, 'spec' | 'bound'>,
  remote: string,
): string | undefined {
  const { listen } = spec;
  const [first] = bound;
  if (listen.kind === 'unix' || listen.host === undefined || isLoopback(listen.host)) return undefined;
  const port = first?.kind === 'tcp' ? first.port : listen.port;
  const machine = spec.kind === 'remote' ? remote : 'this machine';
  const address = listen.host === '*' ? machine : `${listen.host} of ${machine}`;
  const condition = spec.kind === 'remote' ? `, if GatewayPorts in its sshd_config lets it` : '';
  return `Everyone who can reach ${address} can use port ${port}, with your rights on the other side${condition}.`;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}
