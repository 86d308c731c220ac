import { isIPv6 } from 'node:net';
import yargs from 'yargs';
import { parseDestination } from '../config/destination.ts';
import type { Destination, SshFlags } from '../config/settings.ts';
import { quoted } from '../endpoint.ts';
import { UsageError } from '../errors.ts';
import { parseDynamicSpec, parseRemoteSpec, parseSpec } from '../parse-spec.ts';
import { findConflict, formatFlag, type ForwardSpec } from '../spec.ts';
import { transportNames, type TransportName } from '../ssh/transport-name.ts';
import { expandFlags, flags } from './flags.ts';

/** What a command line asks for. */
export type Command = OpenCommand | ExplainCommand | { readonly name: 'help' } | { readonly name: 'version' };

/** `tunnel HOST SPEC…` */
export interface OpenCommand extends Target {
  readonly name: 'open';
}

/** `tunnel explain HOST SPEC…`: what `tunnel HOST SPEC…` would do. */
export interface ExplainCommand extends Target {
  readonly name: 'explain';
}

interface Target {
  readonly destination: Destination;
  /** Absent: whatever the configuration of the host says. */
  readonly forwards?: readonly ForwardSpec[];
  readonly ssh: SshFlags;
  readonly transport: TransportName;
  readonly json: boolean;
  readonly quiet: boolean;
  /** How many `-v` there are; 0 after a later `-q`. */
  readonly verbosity: number;
}

/** Reads the words after `tunnel`. Throws a `UsageError` that names the word and says what would be right. */
export function parseArguments(argv: readonly string[]): Command {
  const expanded = expandFlags(argv);
  const parsed = readFlags(expanded);
  if (parsed.help) return { name: 'help' };
  if (parsed.version) return { name: 'version' };

  const words = parsed._.map(String);
  const name = commandName(expanded);
  const { host, specs } =
    name === 'open'
      ? splitWords(words, parsed.forward ?? [])
      : splitWords(words.slice(1), parsed.forward ?? [], `${name} `);
  const destination = parseDestination(host);
  const forwards: ForwardSpec[] = [
    ...specs.map(parseSpec),
    ...(parsed.remote ?? []).map(parseRemoteSpec),
    ...(parsed.dynamic ?? []).map(parseDynamicSpec),
  ];
  refuseConflict(forwards);

  const loudness = lastOf(expanded, 'verbose', 'quiet');
  return {
    name,
    destination,
    ...(forwards.length > 0 && { forwards }),
    transport: parseTransport(parsed.transport?.at(-1) ?? 'auto'),
    ssh: sshFlags(parsed, lastOf(expanded, 'ipv4', 'ipv6')),
    json: parsed.json ?? false,
    quiet: loudness === 'quiet',
    verbosity: loudness === 'verbose' ? parsed.verbose : 0,
  };
}

type Flags = ReturnType<typeof readFlags>;

function readFlags(expanded: string[]) {
  return yargs(expanded)
    .help(false)
    .version(false)
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'greedy-arrays': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'strip-aliased': true,
    })
    .options(flags)
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new UsageError('bad-arguments', message);
    })
    .parseSync();
}

/** The first word may name a command; after `--` it is a host, whatever it is called. */
function commandName(expanded: readonly string[]): 'open' | 'explain' {
  return beforeDashes(expanded).find((word) => !word.startsWith('--')) === 'explain' ? 'explain' : 'open';
}

function beforeDashes(expanded: readonly string[]): readonly string[] {
  const end = expanded.indexOf('--');
  return end === -1 ? expanded : expanded.slice(0, end);
}

/** Of two flags that undo each other the last one counts, as in ssh; yargs does not keep the order. */
function lastOf<Name extends keyof typeof flags>(
  expanded: readonly string[],
  ...names: Name[]
): Name | undefined {
  const last = beforeDashes(expanded).findLast((word) => names.some((name) => word === `--${name}=true`));
  return names.find((name) => last === `--${name}=true`);
}

/** As in ssh, the first `-p` and `-l` and the last `-F` count, and a second `-J` is refused. */
function sshFlags(parsed: Flags, family: 'ipv4' | 'ipv6' | undefined): SshFlags {
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

function parseTransport(name: string): TransportName {
  const known = transportNames.find((transport) => transport === name);
  if (known !== undefined) return known;
  throw new UsageError('bad-transport', `--transport ${quoted(name)} is not known`, {
    hint: [`It is one of: ${transportNames.join(', ')}`],
  });
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

function checkOption(option: string): string {
  if (!/^\s*[A-Za-z]\w*(\s*=\s*|\s+)[^\s=]/.test(option) || /\p{Cc}/u.test(option.replaceAll('\t', ' '))) {
    throw new UsageError('bad-option', `-o ${quoted(option)} is not an ssh_config option with its value`, {
      hint: ['Write Name=value, for example: -o ConnectTimeout=10'],
    });
  }
  return option;
}

/**
 * The host is the first word; after ports and sockets it is the last (`tunnel 8081 vps`). `command` is what stands
 * before them, with a space.
 */
function splitWords(
  words: readonly string[],
  listed: readonly string[],
  command = '',
): { host: string; specs: string[] } {
  const first = words[0];
  if (first !== undefined && couldBeHost(first))
    return { host: first, specs: [...words.slice(1), ...listed] };
  const last = words.at(-1);
  if (words.length > 1 && last !== undefined && couldBeHost(last)) {
    return { host: last, specs: [...words.slice(0, -1), ...listed] };
  }
  throw noHost(words, listed, command);
}

/**
 * Whether a word in the host's place can be meant as a host. `name:22` can; a port, `8080:3000`, `auto:3000`, a path
 * and anything with more parts cannot. A malformed host still counts, to be refused as a host.
 */
function couldBeHost(word: string): boolean {
  if (/^\d+(:|$)|^(auto|unix):|^[*~]/.test(word)) return false;
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(word)) return true;
  if (/^[^@]*\//.test(word)) return false;
  const host = word.slice(word.lastIndexOf('@') + 1);
  return isIPv6(host) || /^(\[[^\]]*\]|[^:]*)(:[^:]*)?$/.test(host);
}

function noHost(words: readonly string[], listed: readonly string[], command: string): UsageError {
  const host = words.find((word) => couldBeHost(word)) ?? 'HOST';
  const specs = words.length > 0 ? words.filter((word) => word !== host) : listed;
  return new UsageError('no-host', `Which host? ${whyNoHost(words)}`, {
    hint: [
      `Name it before the ports: tunnel ${command}${host} ${specs.length > 0 ? specs.join(' ') : '8081'}`,
      ...(command === '' ? [] : [`A host that is called ${command.trim()}: tunnel -- ${command}8081`]),
      'tunnel --help shows examples.',
    ],
  });
}

function whyNoHost([first, ...others]: readonly string[]): string {
  if (first === undefined) return 'None is named';
  const last = others.at(-1);
  if (last === undefined) return `${quoted(first)} says what to forward`;
  return `Neither the first word ${quoted(first)} nor the last ${quoted(last)} can be one`;
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
