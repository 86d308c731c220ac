import type { CommandName } from './command.ts';
import { httpFlags, type FlagName, type Letters } from './flags.ts';
import { topicNames } from './help/topic-names.ts';

/** What is said of a command; command-readers.ts has how its line is read. */
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
  /** It opens, or tells of opening: what profiles, the project's file and the environment say counts. */
  readonly layered?: true;
  /** Not for people. */
  readonly hidden?: true;
  readonly flags: readonly FlagName[];
  /** What it means by letters that ssh uses otherwise. */
  readonly letters?: Letters;
}

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
const vpnFlags = ['wireguard', 'via', 'standby'] as const;
const lifeFlags = ['wait', 'hold', 'retry-dial', 'reconnect', ...vpnFlags] as const;
const targetFlags = [...saying, ...specFlags, ...sshFlagNames];

/** What the first word may be instead of a host, and how the rest is read then. */
export const commandTable: Readonly<Record<string, CommandEntry>> = {
  help: {
    usage: ['[TOPIC]'],
    about: `of a command, or: ${topicNames.join(', ')}`,
    flags: ['help', 'version'],
  },
  completion: {
    usage: ['bash|zsh|fish', 'install [SHELL]'],
    about: "print a shell's completion, or set it up",
    details: [
      'install writes the script to where the shell looks for it, and a line into ~/.bashrc or ~/.zshrc where that is needed, and says what it did. SHELL is yours unless it is named. Doing so twice is as good as once.',
    ],
    flags: ['help', 'version'],
  },
  explain: {
    usage: ['HOST [SPEC...]'],
    about: 'what the same line without it would do; connects to nothing',
    details: [
      'Tells where to and how it would connect, where each value comes from, and what becomes of each option of your configuration. A host called explain: tunnel -- explain 8081',
    ],
    layered: true,
    flags: [...targetFlags, ...lifeFlags],
  },
  scan: {
    usage: ['HOST'],
    about: 'what listens there: ports and sockets, whose, and what answers',
    details: [
      "Reads only, needs no root, and says what it could not see. The system's own services are folded away; --all shows them. What it finds is what completion offers for HOST from then on.",
    ],
    flags: [...saying, ...sshFlagNames, 'all'],
  },
  doctor: {
    usage: ['[HOST [SPEC...]]'],
    about: 'why something does not work, step by step; without HOST: the installation',
    details: [
      'Ends with 0 only if all is well; a warning is. Forwarding is tried for real, and nothing is changed.',
    ],
    layered: true,
    flags: [...targetFlags, ...vpnFlags],
  },
  exec: {
    usage: ['HOST [SPEC...] -- COMMAND'],
    about: 'open it for as long as a command runs, which finds TUNNEL_URL set',
    details: [
      'TUNNEL_URL, TUNNEL_HOST and TUNNEL_PORT are those of the first forward, TUNNEL_URL_1, TUNNEL_URL_2... of each; TUNNEL_SOCKET of a socket here. It ends with the status of the command, or with 127 where there is none.',
    ],
    layered: true,
    flags: [...targetFlags, ...lifeFlags].filter((name) => name !== 'json'),
  },
  ls: {
    usage: ['[NAME...]'],
    about: 'the sessions that are open',
    flags: saying,
  },
  status: {
    usage: ['[NAME...]'],
    about: 'the same at length; status 0 only if all are ready',
    flags: saying,
  },
  add: {
    usage: ['NAME SPEC...'],
    about: 'open more in a session; -R and -D as well',
    flags: [...saying, ...specFlags],
  },
  cancel: {
    usage: ['NAME SPEC...'],
    about: 'close some of it',
    flags: [...saying, ...specFlags],
  },
  stop: {
    usage: ['NAME...', '--all'],
    about: 'end sessions',
    details: ['Connections get 3 seconds to finish. The name of a profile stands for its sessions.'],
    flags: [...saying, 'all'],
  },
  retry: {
    usage: ['[NAME...]'],
    about: 'connect now, without waiting for the next try',
    flags: saying,
  },
  logs: {
    usage: ['[-f] NAME'],
    about: 'what a session has told; -f goes on',
    flags: [...saying, 'follow'],
    letters: { f: 'follow' },
  },
  attach: {
    usage: ['NAME'],
    about: 'watch a session as if it were in the foreground',
    flags: saying,
  },
  service: {
    usage: ['install HOST [SPEC...]', 'uninstall NAME', 'status NAME'],
    about: 'open it at each login',
    details: ['systemd keeps it on Linux, launchd on macOS. --print shows the file and does nothing.'],
    flags: [...targetFlags, ...lifeFlags, 'print'],
  },
  save: {
    usage: ['NAME [HOST SPEC...]'],
    about: 'keep it as a profile, which tunnel NAME opens',
    details: [
      'Without HOST and SPEC what the session NAME has open is kept. SPECs alone are those of the host NAME. A profile that is there is replaced, but for its description and tags.',
    ],
    flags: [...targetFlags, ...lifeFlags, 'description', 'tag'],
  },
  profile: {
    usage: [
      'ls',
      'show PROFILE...',
      'edit PROFILE',
      'rm PROFILE...',
      'rename PROFILE NEW',
      'export [PROFILE...]',
      'import FILE',
    ],
    about: 'what is kept by tunnel save',
    details: [
      'edit opens it in $VISUAL or $EDITOR, and keeps it only if it is right. export prints JSON, of all profiles or those that are named, and import reads it; - is standard input. A profile that is there already is replaced with --force only.',
    ],
    flags: [...saying, 'force'],
  },
  background: {
    usage: [],
    about: 'keeps a session in the background',
    hidden: true,
    flags: [],
  },
} satisfies Record<CommandName, CommandEntry>;

/** `tunnel HOST SPEC…` */
export const openEntry: CommandEntry = {
  usage: ['HOST [SPEC...]'],
  about: 'open it, and keep it open',
  layered: true,
  flags: [...targetFlags, ...lifeFlags, 'detach', 'open'],
};
