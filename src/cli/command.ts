import type { ProfileSession } from '../config/profiles/profile.ts';
import type { Destination, SshFlags } from '../config/settings.ts';
import type { Backoff } from '../session/state.ts';
import type { ForwardSpec } from '../spec.ts';
import type { VpnPlan } from '../session/plan.ts';
import type { TransportName } from '../ssh/transport-name.ts';
import type { Sourced } from './layers/layer.ts';

/** How much is said, and to whom. */
export interface Saying {
  readonly json: boolean;
  readonly quiet: boolean;
  /** How many `-v` there are; 0 after a later `-q`. */
  readonly verbosity: number;
}

/** A host, and what is to be open there. */
export interface Target extends Saying {
  readonly destination: Destination;
  /** Absent: whatever the configuration of the host says. */
  readonly forwards?: readonly ForwardSpec[];
  readonly ssh: SshFlags;
  readonly transport: TransportName;
}

/** How a session lives; times are in milliseconds. What is absent is left to the session. */
export interface Life {
  readonly reconnect?: Backoff | false;
  readonly wait: boolean;
  readonly holdMs?: number;
  readonly retryDialMs?: number;
}

/** `tunnel HOST SPEC…` */
export interface OpenCommand extends Target {
  readonly name: 'open';
  readonly detach: boolean;
  /** Opens the first URL in the browser. */
  readonly browse: boolean;
  readonly life: Life;
  readonly vpn?: VpnPlan;
}

/** `tunnel explain HOST SPEC…`: what `tunnel HOST SPEC…` would do. */
export interface ExplainCommand extends Target {
  readonly name: 'explain';
  readonly life: Life;
  /** Who has set what; absent where only the command line was read. */
  readonly sources?: readonly Sourced[];
}

/** `tunnel doctor [HOST [SPEC…]]`; without a host, the installation. */
export type DoctorCommand = { readonly name: 'doctor'; readonly vpn?: VpnPlan } & (
  (Target & { readonly about: 'host' }) | (Saying & { readonly about: 'installation' })
);

/** `tunnel exec HOST SPEC… -- COMMAND…`: runs it with the forwards open. */
export interface ExecCommand extends Target {
  readonly name: 'exec';
  readonly life: Life;
  readonly vpn?: VpnPlan;
  /** Not empty. */
  readonly command: readonly string[];
}

/** `tunnel scan HOST`: what listens there. */
export interface ScanCommand extends Omit<Target, 'forwards'> {
  readonly name: 'scan';
  /** What belongs to the system as well. */
  readonly all: boolean;
}

/** `tunnel ls|status|retry|stop NAME…`; a name may have `*` and `?` in it. */
export interface SessionsCommand extends Saying {
  readonly name: 'ls' | 'status' | 'retry' | 'stop';
  /** Empty: all, for those commands that take none. */
  readonly names: readonly string[];
}

/** `tunnel add|cancel NAME SPEC…` */
export interface ForwardsCommand extends Saying {
  readonly name: 'add' | 'cancel';
  readonly session: string;
  readonly forwards: readonly ForwardSpec[];
}

/** `tunnel logs [-f] NAME` */
export interface LogsCommand extends Saying {
  readonly name: 'logs';
  readonly session: string;
  readonly follow: boolean;
}

/** `tunnel attach NAME` */
export interface AttachCommand extends Saying {
  readonly name: 'attach';
  readonly session: string;
}

/** `tunnel service install HOST SPEC…`, `tunnel service uninstall|status NAME` */
export interface ServiceCommand extends Saying {
  readonly name: 'service';
  readonly action: 'install' | 'uninstall' | 'status';
  /** What the session is called. */
  readonly session: string;
  /** The words that open it, for `install`. */
  readonly words: readonly string[];
  /** Only shows the file. */
  readonly print: boolean;
}

/** The process behind `-d`, which is told the rest by the one that started it. */
export interface BackgroundCommand {
  readonly name: 'background';
}

/** `tunnel save NAME [HOST SPEC…]` */
export interface SaveCommand extends Saying {
  readonly name: 'save';
  readonly profile: string;
  /** Absent: what the running session of that name has. */
  readonly session?: ProfileSession;
  readonly description?: string;
  readonly tags?: readonly string[];
}

/** `tunnel profile …` */
export interface ProfileCommand extends Saying {
  readonly name: 'profile';
  readonly action: 'ls' | 'show' | 'edit' | 'rm' | 'rename' | 'export' | 'import';
  /** Names of profiles; for `import` the file. */
  readonly words: readonly string[];
  readonly force: boolean;
}

export const shellNames = ['bash', 'zsh', 'fish'] as const;

export type ShellName = (typeof shellNames)[number];

/** `tunnel completion SHELL`, `tunnel completion install [SHELL]` */
export interface CompletionCommand {
  readonly name: 'completion';
  readonly install: boolean;
  /** Absent: the person's own. */
  readonly shell?: ShellName;
}

/** `tunnel help [TOPIC]`; a topic may be a command. */
export interface HelpCommand {
  readonly name: 'help';
  readonly topic?: string;
}

export type Command =
  | OpenCommand
  | ExplainCommand
  | ScanCommand
  | DoctorCommand
  | ExecCommand
  | SessionsCommand
  | ForwardsCommand
  | LogsCommand
  | AttachCommand
  | ServiceCommand
  | BackgroundCommand
  | SaveCommand
  | ProfileCommand
  | CompletionCommand
  | HelpCommand
  | { readonly name: 'version' };

/** What the first word may be instead of a host. */
export type CommandName = Exclude<Command['name'], 'open' | 'version'>;
