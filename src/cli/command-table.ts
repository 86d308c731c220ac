import { formatDestination, parseDestination } from '../config/destination.ts';
import { quoted } from '../endpoint.ts';
import { UsageError } from '../errors.ts';
import { parseDynamicSpec, parseRemoteSpec, parseSpec } from '../parse-spec.ts';
import { findConflict, formatFlag, type ForwardSpec } from '../spec.ts';
import { transportNames, type TransportName } from '../ssh/transport-name.ts';
import { closest } from './closest.ts';
import { shellNames, type Command, type Life, type Saying, type Target } from './command.ts';
import { parseDuration, parseReconnect } from './duration.ts';
import type { FlagName, Letters } from './flags.ts';
import type { Flags } from './read-flags.ts';
import { topicNames } from './help/topic-names.ts';
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
  /**
   * What follows the name, a line a way to write it. Lower case is typed as it stands; HOST, SPEC, NAME (of a session),
   * PROFILE, TOPIC, SHELL and FILE are what completion looks up; `...` may be repeated, and brackets may be left out.
   */
  readonly usage: readonly string[];
  /** One line, for lists of commands. */
  readonly about: string;
  /** Paragraphs, for `tunnel help COMMAND` and the man page. */
  readonly details?: readonly string[];
  /** Not for people. */
  readonly hidden?: true;
  readonly flags: readonly FlagName[];
  /** What it means by letters that ssh uses otherwise. */
  readonly letters?: Letters;
  readonly read: (line: Line) => Command;
}

const saying = ['json', 'quiet', 'verbose', 'help', 'version'] as const;
const specFlags = ['forward', 'remote', 'dynamic', 'gateway'] as const;
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
const lifeFlags = ['wait', 'hold', 'retry-dial', 'reconnect'] as const;
const targetFlags = [...saying, ...specFlags, ...sshFlagNames];

/** What the first word may be instead of a host, and how the rest is read then. */
export const commandTable: Readonly<Record<string, CommandEntry>> = {
  help: {
    usage: ['[TOPIC]'],
    about: `of a command, or: ${topicNames.join(', ')}`,
    flags: ['help', 'version'],
    read: readHelp,
  },
  completion: {
    usage: ['bash|zsh|fish', 'install [SHELL]'],
    about: "print a shell's completion, or set it up",
    details: [
      'install writes the script to where the shell looks for it, and a line into ~/.bashrc or ~/.zshrc where that is needed, and says what it did. SHELL is yours unless it is named. Doing so twice is as good as once.',
    ],
    flags: ['help', 'version'],
    read: readCompletion,
  },
  explain: {
    usage: ['HOST [SPEC...]'],
    about: 'what the same line without it would do; connects to nothing',
    details: [
      'Tells where to and how it would connect, where each value comes from, and what becomes of each option of your configuration. A host called explain: tunnel -- explain 8081',
    ],

    flags: targetFlags,
    read: (line) => ({ name: 'explain', ...readTarget(line, 'explain ') }),
  },
  ls: {
    usage: ['[NAME...]'],
    about: 'the sessions that are open',
    flags: saying,
    read: ({ words, flags }) => ({ name: 'ls', names: words, ...readSaying(flags) }),
  },
  status: {
    usage: ['[NAME...]'],
    about: 'the same at length; status 0 only if all are ready',

    flags: saying,
    read: ({ words, flags }) => ({ name: 'status', names: words, ...readSaying(flags) }),
  },
  add: {
    usage: ['NAME SPEC...'],
    about: 'open more in a session; -R and -D as well',
    flags: [...saying, ...specFlags],
    read: (line) => readForwards('add', line),
  },
  cancel: {
    usage: ['NAME SPEC...'],
    about: 'close some of it',
    flags: [...saying, ...specFlags],
    read: (line) => readForwards('cancel', line),
  },
  stop: {
    usage: ['NAME...', '--all'],
    about: 'end sessions',
    details: ['Connections get 3 seconds to finish. The name of a profile stands for its sessions.'],

    flags: [...saying, 'all'],
    read: ({ words, flags }) => ({
      name: 'stop',
      names: flags.all === true ? allOf(words) : someOf('stop', words, ', or all of them: tunnel stop --all'),
      ...readSaying(flags),
    }),
  },
  retry: {
    usage: ['[NAME...]'],
    about: 'connect now, without waiting for the next try',

    flags: saying,
    read: ({ words, flags }) => ({ name: 'retry', names: words, ...readSaying(flags) }),
  },
  logs: {
    usage: ['[-f] NAME'],
    about: 'what a session has told; -f goes on',

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
    usage: ['NAME'],
    about: 'watch a session as if it were in the foreground',

    flags: saying,
    read: ({ words, flags }) => ({ name: 'attach', session: oneOf('attach', words), ...readSaying(flags) }),
  },
  service: {
    usage: ['install HOST [SPEC...]', 'uninstall NAME', 'status NAME'],
    about: 'open it at each login',
    details: ['systemd keeps it on Linux, launchd on macOS. --print shows the file and does nothing.'],
    flags: [...targetFlags, ...lifeFlags, 'print'],
    read: readService,
  },
  background: {
    usage: [],
    about: 'keeps a session in the background',
    hidden: true,
    flags: [],
    read: () => ({ name: 'background' }),
  },
};

/** `tunnel HOST SPEC…` */
export const openEntry: CommandEntry = {
  usage: ['HOST [SPEC...]'],
  about: 'open it, and keep it open',
  flags: [...targetFlags, ...lifeFlags, 'detach'],
  read: (line) => ({
    name: 'open',
    detach: line.flags.detach === true,
    life: readLife(line.flags),
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

function readSpecs(specs: readonly string[], flags: Flags): readonly ForwardSpec[] {
  const forwards = [
    ...specs.map(parseSpec),
    ...(flags.remote ?? []).map(parseRemoteSpec),
    ...(flags.dynamic ?? []).map(parseDynamicSpec),
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

function readHelp({ words }: Line): Command {
  const [topic, ...more] = words;
  if (more.length > 0) {
    throw new UsageError('unexpected-word', `tunnel help takes one word, not ${words.length}`);
  }
  if (topic === undefined) return { name: 'help' };
  const topics = [...Object.keys(commandTable), ...topicNames];
  if (topics.includes(topic)) return { name: 'help', topic };
  const similar = closest(topic, topics);
  throw new UsageError('unknown-topic', `There is no help on ${quoted(topic)}`, {
    hint: [similar === undefined ? `There is: ${topics.join(', ')}` : `Did you mean tunnel help ${similar}?`],
  });
}

function readCompletion({ words }: Line): Command {
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
