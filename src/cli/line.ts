import { parseDestination } from '../config/destination.ts';
import { parseDuration, parseReconnect } from '../duration.ts';
import { quoted } from '../endpoint.ts';
import { UsageError } from '../errors.ts';
import { parseDynamicSpec, parseRemoteSpec, parseSpec } from '../parse-spec.ts';
import { findConflict, formatFlag, type ForwardSpec } from '../spec.ts';
import { transportNames, type TransportName } from '../ssh/transport-name.ts';
import type { Life, Saying, Target } from './command.ts';
import { beforeDashes } from './expand-flags.ts';
import type { FlagName } from './flags.ts';
import type { Flags } from './read-flags.ts';
import type { VpnPlan } from '../session/plan.ts';
import { parseWireguard } from '../wireguard/address.ts';
import { readHttp, readHttpToCancel } from './http-flags.ts';
import { sshFlags } from './ssh-flags.ts';
import { splitWords } from './words.ts';

const WAYS = ['auto', 'wireguard', 'ssh'] as const;

/** A command line without the name of its command. */
export interface Line {
  readonly words: readonly string[];
  readonly flags: Flags;
  /** Every flag as `--name=value`, and every word, in the order they were written. */
  readonly expanded: readonly string[];
}

export function readTarget(line: Line, command = ''): Target {
  const { words, flags, expanded } = line;
  const { host, specs } = splitWords(words, flags.forward ?? [], command);
  const destination = parseDestination(host);
  const forwards = readSpecs(specs, flags);
  return {
    destination,
    ...(forwards.length > 0 && { forwards }),
    transport: parseTransport(flags.transport?.at(-1) ?? 'auto'),
    ssh: sshFlags(flags, lastOf(expanded, 'ipv4', 'ipv6')),
    ...readSaying(flags),
  };
}

export function readSpecs(specs: readonly string[], flags: Flags, command = ''): readonly ForwardSpec[] {
  const http = command === 'cancel' ? readHttpToCancel(flags) : readHttp(flags);
  const forwards: ForwardSpec[] = [
    ...specs.map(parseSpec),
    ...(flags.remote ?? []).map(parseRemoteSpec),
    ...(flags.dynamic ?? []).map(parseDynamicSpec),
    ...(http === undefined ? [] : [http]),
  ];
  refuseConflict(forwards);
  return forwards;
}

export function readLife(flags: Flags): Life {
  const [hold, retryDial, reconnect] = [flags.hold, flags['retry-dial'], flags.reconnect].map((values) =>
    values?.at(-1),
  );
  const backoff = reconnect === undefined ? true : parseReconnect(reconnect);
  return {
    wait: flags.wait === true,
    ...(hold !== undefined && { holdMs: parseDuration('--hold', hold) }),
    ...(retryDial !== undefined && { retryDialMs: parseDuration('--retry-dial', retryDial) }),
    ...(backoff !== true && { reconnect: backoff }),
  };
}

export function readVpn(flags: Flags): { vpn?: VpnPlan } {
  const address = flags.wireguard?.at(-1);
  const via = flags.via?.at(-1);
  const known = WAYS.find((way) => way === (via ?? 'auto'));
  if (known === undefined) {
    throw new UsageError('bad-via', `--via ${quoted(via ?? '')} is not known`, {
      hint: [`It is one of: ${WAYS.join(', ')}`],
    });
  }
  if (address !== undefined) {
    return { vpn: { address: parseWireguard(address), via: known, standby: flags.standby === true } };
  }
  if (via === undefined && flags.standby !== true) return {};
  throw new UsageError(
    'no-wireguard',
    `${via === undefined ? '--standby' : `--via ${via}`} needs --wireguard`,
    {
      hint: ['Say where the host is in the VPN: --wireguard 10.0.0.1'],
    },
  );
}

export function readSaying(flags: Flags): Saying {
  return { json: flags.json ?? false, quiet: flags.quiet ?? false, verbosity: flags.verbose };
}

function refuseConflict(forwards: readonly ForwardSpec[]): void {
  const [first, second] = findConflict(forwards)?.map(formatFlag) ?? [];
  if (first === undefined || second === undefined) return;
  if (first === second) {
    throw new UsageError('conflicting-specs', `${first} is given twice`, {
      hint: ['Leave one of them out.'],
    });
  }
  throw new UsageError(
    'conflicting-specs',
    `${first} and ${second} would listen on the same port or socket`,
    {
      hint: ['Give one of them another place to listen: OTHER_PORT:localhost:PORT'],
    },
  );
}

function parseTransport(name: string): TransportName {
  const known = transportNames.find((transport) => transport === name);
  if (known !== undefined) return known;
  throw new UsageError('bad-transport', `--transport ${quoted(name)} is not known`, {
    hint: [`It is one of: ${transportNames.join(', ')}`],
  });
}

/** Of two flags that undo each other the last one counts, as in ssh; yargs does not keep the order. */
export function lastOf<Name extends FlagName>(
  expanded: readonly string[],
  ...names: Name[]
): Name | undefined {
  const last = beforeDashes(expanded).findLast((word) => names.some((name) => word === `--${name}=true`));
  return names.find((name) => last === `--${name}=true`);
}
