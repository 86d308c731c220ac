/** ssh's own meanings, from ssh_config(5). `off` is an alias of `no` there and is read as `no`. */
export type StrictHostKeyChecking = 'yes' | 'no' | 'ask' | 'accept-new';

/**
 * What the configuration says about one host: the values of each option as `ssh -G` prints them, by lowercase name.
 * An option that takes several words in one line (`UserKnownHostsFile`, `IPQoS`) has them in one value.
 */
export type RawOptions = ReadonlyMap<string, readonly string[]>;

/** A host as a person writes it: `[user@]host[:port]`, an ssh_config alias, or an `ssh://` URI. */
export interface Destination {
  /** The name as written, without user and port: what ssh_config's `Host` patterns are matched with. */
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
}

/**
 * Everything that is configured about one host, with tokens and `~` expanded and paths absolute, as `ssh -G` would
 * resolve it. Times are in seconds.
 */
export interface HostSettings {
  /** The name as the person wrote it. */
  readonly alias: string;
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  readonly addressFamily: 'any' | 'inet' | 'inet6';
  readonly bindAddress?: string;
  /** For each address tried. Absent: the system's own limit. */
  readonly connectTimeout?: number;
  readonly connectionAttempts: number;
  readonly tcpKeepAlive: boolean;

  readonly identityFiles: readonly IdentityFile[];
  readonly identitiesOnly: boolean;
  /** The agent's socket; absent when there is none or it is switched off. */
  readonly identityAgent?: string;
  /** Whether a key that was read from a file is given to the agent; absent: it is not. */
  readonly addKeysToAgent?: AddKeysToAgent;
  /** Signature algorithms of the keys to offer; absent where the configuration does not say. */
  readonly pubkeyAcceptedAlgorithms?: readonly string[];
  readonly batchMode: boolean;
  readonly numberOfPasswordPrompts: number;
  /** RFC 4252's names in the order to try them, without those that are switched off or need a person in `BatchMode`. */
  readonly preferredAuthentications: readonly string[];

  readonly userKnownHostsFiles: readonly string[];
  readonly globalKnownHostsFiles: readonly string[];
  readonly strictHostKeyChecking: StrictHostKeyChecking;
  readonly hashKnownHosts: boolean;
  /** Whether host keys that a known server announces are learned. */
  readonly updateHostKeys: 'yes' | 'no' | 'ask';
  /** Whether the host's address is looked up in known_hosts, too. */
  readonly checkHostIp: boolean;
  readonly noHostAuthenticationForLocalhost: boolean;
  /** A command that prints more lines of known_hosts, as written: its tokens depend on what is asked. */
  readonly knownHostsCommand?: string;
  /** The name that known_hosts is asked about instead of the host's own. */
  readonly hostKeyAlias?: string;

  /** 0: none are sent. */
  readonly serverAliveInterval: number;
  readonly serverAliveCountMax: number;
  readonly compression: boolean;

  /** When to exchange keys anew; absent: as the server wants. */
  readonly rekeyLimit?: RekeyLimit;

  /** In order of preference; absent where the configuration does not say and the choice is ours. */
  readonly ciphers?: readonly string[];
  readonly macs?: readonly string[];
  readonly kexAlgorithms?: readonly string[];
  readonly hostKeyAlgorithms?: readonly string[];

  /** Each hop as `[user@]host[:port]`, the nearest first. Empty: none. */
  readonly proxyJump: readonly string[];
  /** A command whose standard input and output are the connection, tokens expanded. */
  readonly proxyCommand?: string;
  /** What the configuration of each hop is found with: of the command line, ssh hands on `-F` alone. */
  readonly jumpFlags: SshFlags;

  /** Every option, for what has no field here. Tokens in file names and commands may still be unexpanded. */
  readonly options: RawOptions;
  /** The names in `options` whose value is not ssh's own default. */
  readonly configured: ReadonlySet<string>;
  /** Lines of the configuration that ssh itself skips with a complaint. */
  readonly warnings: readonly string[];
}

/** ssh_config(5), AddKeysToAgent. */
export interface AddKeysToAgent {
  /** The person is asked whether to add it. */
  readonly ask: boolean;
  /** The agent asks before each use. */
  readonly confirm: boolean;
  /** Seconds until the agent forgets it. */
  readonly lifetime?: number;
}

/** After whichever comes first; 0 is never. */
export interface RekeyLimit {
  readonly bytes: number;
  readonly seconds: number;
}

export interface IdentityFile {
  readonly path: string;
  /** True when the person named it (`-i` or `IdentityFile`), so that its absence is worth a word. */
  readonly explicit: boolean;
}

/** What the command line says about a host besides its name; each has the meaning of ssh's own flag. */
export interface SshFlags {
  /** `-p` */
  readonly port?: number;
  /** `-l` */
  readonly user?: string;
  /** `-i`, in the order given. */
  readonly identityFiles?: readonly string[];
  /** `-J`, comma-separated. */
  readonly jump?: string;
  /** `-F` */
  readonly configFile?: string;
  /** `-o`, each `Name=value` or `Name value`. */
  readonly options?: readonly string[];
  /** `-C` */
  readonly compression?: boolean;
  /** `-4` or `-6` */
  readonly addressFamily?: 'inet' | 'inet6';
}
