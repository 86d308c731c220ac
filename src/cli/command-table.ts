import { formatDestination, parseDestination } from '../config/destination.ts';
import { quoted } from '../endpoint.ts';
import { UsageError } from '../errors.ts';
import { parseDynamicSpec, parseRemoteSpec, parseSpec } from '../parse-spec.ts';
import { findConflict, formatFlag, type ForwardSpec } from '../spec.ts';
import { transportNames, type TransportName } from '../ssh/transport-name.ts';
import type { Command, Life, Saying, Target } from './command.ts';
import { parseDuration, parseReconnect } from './duration.ts';
import type { FlagName, Flags, Letters } from './flags.ts';
import { parseWireguard } from '../wireguard/address.ts';
import type { VpnPlan } from '../session/plan.ts';
import { httpFlags, readHttp } from './http-flags.ts';
import { sshFlags } from './ssh-flags.ts';
import { splitWords } from './words.ts';

/** A command line without the name of its command. */
export interface Line {
  readonly words: readonly string[];
  readonly flags: Flags;
  /** Every flag as `--name=value`, and every word, in the order they were written. */
  readonly expanded: readonly string[];
}

export interface CommandEntry {
  readonly flags: readonly FlagName[];
  /** What it means by letters that ssh uses otherwise. */
  readonly letters?: Letters;
  readonly read: (line: Line) => Command;
}

const WAYS = ['auto', 'wireguard', 'ssh'] as const;
const saying = ['json', 'quiet', 'verbose', 'help', 'version'] as const;
const specFlags = ['forward', 'remote', 'dynamic', 'gateway', ...httpFlags] as const;
const sshFlagNames: readonly FlagName[] = [
  'port',
  'user',
  'identity',
  'jump',
  'config',
  'option',
  'compress',
  'ipv4',
  'ipv6',
  'no-command',
  'transport',
];
const lifeFlags = ['wait', 'hold', 'retry-dial', 'reconnect', 'wireguard', 'via', 'standby'] as const;
const targetFlags = [...saying, ...specFlags, ...sshFlagNames];

/** What the first word may be instead of a host, and how the rest is read then. */
export const commandTable: Readonly<Record<string, CommandEntry>> = {
  explain: {
    flags: targetFlags,
    read: (line) => ({ name: 'explain', ...readTarget(line, 'explain ') }),
  },
  scan: {
    flags: [...saying, ...sshFlagNames, 'all'],
    read: (line) => ({ name: 'scan', ...readHost(line, 'scan'), all: line.flags.all === true }),
  },
  doctor: {
    flags: [...targetFlags, 'wireguard', 'via', 'standby'],
    read: (line) =>
      line.words.length === 0 && line.flags.forward === undefined
        ? { name: 'doctor', about: 'installation', ...readSaying(line.flags) }
        : {
            name: 'doctor',
            about: 'host',
            ...readTarget(line, 'doctor '),
            ...readVpn(line.flags),
          },
  },
  exec: { flags: [...targetFlags, ...lifeFlags].filter((name) => name !== 'json'), read: readExec },
  ls: { flags: saying, read: ({ words, flags }) => ({ name: 'ls', names: words, ...readSaying(flags) }) },
  status: {
    flags: saying,
    read: ({ words, flags }) => ({ name: 'status', names: words, ...readSaying(flags) }),
  },
  add: { flags: [...saying, ...specFlags], read: (line) => readForwards('add', line) },
  cancel: { flags: [...saying, ...specFlags], read: (line) => readForwards('cancel', line) },
  stop: {
    flags: [...saying, 'all'],
    read: ({ words, flags }) => ({
      name: 'stop',
      names: flags.all === true ? allOf(words) : someOf('stop', words, ', or all of them: tunnel stop --all'),
      ...readSaying(flags),
    }),
  },
  retry: {
    flags: saying,
    read: ({ words, flags }) => ({ name: 'retry', names: words, ...readSaying(flags) }),
  },
  logs: {
    flags: [...saying, 'follow'],
    letters: { f: 'follow' },
    read: ({ words, flags }) => ({
      name: 'logs',
      session: oneOf('logs', words),
      follow: flags.follow === true,
      ...readSaying(flags),
    }),
  },
  attach: {
    flags: saying,
    read: ({ words, flags }) => ({ name: 'attach', session: oneOf('attach', words), ...readSaying(flags) }),
  },
  service: { flags: [...targetFlags, ...lifeFlags, 'print'], read: readService },
  background: { flags: [], read: () => ({ name: 'background' }) },
};

/** `tunnel HOST SPEC…` */
export const openEntry: CommandEntry = {
  flags: [...targetFlags, ...lifeFlags, 'detach', 'open'],
  read: (line) => ({
    name: 'open',
    detach: line.flags.detach === true,
    browse: line.flags.open === true,
    life: readLife(line.flags),
    ...readVpn(line.flags),
    ...readTarget(line),
  }),
};

function readTarget(line: Line, command = ''): Target {
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

/** What follows `--` is the command, with flags of its own. */
function readExec(line: Line): Command {
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
function readHost(line: Line, command: string): Omit<Target, 'forwards'> {
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

function readSpecs(specs: readonly string[], flags: Flags): readonly ForwardSpec[] {
  const http = readHttp(flags);
  const forwards: ForwardSpec[] = [
    ...specs.map(parseSpec),
    ...(flags.remote ?? []).map(parseRemoteSpec),
    ...(flags.dynamic ?? []).map(parseDynamicSpec),
    ...(http === undefined ? [] : [http]),
  ];
  refuseConflict(forwards);
  return forwards;
}

function readLife(flags: Flags): Life {
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

function readVpn(flags: Flags): { vpn?: VpnPlan } {
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

function readSaying(flags: Flags): Saying {
  return { json: flags.json ?? false, quiet: flags.quiet ?? false, verbosity: flags.verbose };
}

function readForwards(name: 'add' | 'cancel', { words, flags }: Line): Command {
  const [session, ...specs] = words;
  const forwards = readSpecs([...specs, ...(flags.forward ?? [])], flags);
  if (session === undefined || forwards.length === 0) {
    throw new UsageError('missing-word', `tunnel ${name} needs a session and what to forward`, {
      hint: [`For example: tunnel ${name} ${session ?? 'vps'} 5000`],
    });
  }
  return { name, session, forwards, ...readSaying(flags) };
}

function readService(line: Line): Command {
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
  readVpn(flags);
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

function oneOf(command: string, words: readonly string[]): string {
  const [first, second] = words;
  if (first === undefined || second !== undefined) {
    const why = first === undefined ? 'needs the name of a session' : `takes one name, not ${words.length}`;
    throw new UsageError('missing-word', `tunnel ${command} ${why}`, {
      hint: ['tunnel ls shows the names.'],
    });
  }
  return first;
}

function someOf(command: string, words: readonly string[], otherwise: string): readonly string[] {
  if (words.length > 0) return words;
  throw new UsageError('missing-word', `tunnel ${command} needs the name of a session`, {
    hint: [`tunnel ls shows the names${otherwise}`],
  });
}

function allOf(words: readonly string[]): readonly string[] {
  const [word] = words;
  if (word === undefined) return ['*'];
  throw new UsageError('unexpected-word', `--all leaves no room for ${quoted(word)}`, {
    hint: ['Give names or --all.'],
  });
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

export function beforeDashes(expanded: readonly string[]): readonly string[] {
  const end = expanded.indexOf('--');
  return end === -1 ? expanded : expanded.slice(0, end);
}

/** Of two flags that undo each other the last one counts, as in ssh; yargs does not keep the order. */
export function lastOf<Name extends FlagName>(
  expanded: readonly string[],
  ...names: Name[]
): Name | undefined {
  const last = beforeDashes(expanded).findLast((word) => names.some((name) => word === `--${name}=true`));
  return names.find((name) => last === `--${name}=true`);
}
