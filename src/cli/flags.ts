export interface Flag {
  /** A letter: the one that `ssh` has for it, where there is one. */
  readonly alias?: string;
  /** A `string` takes a value, and may be given again. */
  readonly type: 'string' | 'boolean' | 'count';
  readonly array?: boolean;
  /** What a value that is left out stands for. Whether the next word is one, its look decides (`isCaddyfile`). */
  readonly otherwise?: string;
  /** What its value stands for: what completion offers there depends on it. */
  readonly value?: string;
  /** What `--help`, the man page and completion say of it. */
  readonly about: string;
  /** Where `--help` lists it. */
  readonly part: 'ssh' | 'session' | 'http' | 'wireguard' | 'command' | 'general';
}

export const flags = {
  forward: { alias: 'L', type: 'string', array: true, value: 'SPEC', part: 'ssh', about: 'one more SPEC' },
  remote: {
    alias: 'R',
    type: 'string',
    array: true,
    value: 'SPEC',
    part: 'ssh',
    about: 'the other way: listen there, connect here; a port alone: SOCKS there',
  },
  dynamic: {
    alias: 'D',
    type: 'string',
    array: true,
    value: '[ADDR:]PORT',
    part: 'ssh',
    about: 'a SOCKS proxy here, whose connections leave from there',
  },
  gateway: {
    alias: 'g',
    type: 'boolean',
    part: 'ssh',
    about: 'let other machines use what is listened on here',
  },
  port: {
    alias: 'p',
    type: 'string',
    array: true,
    value: 'PORT',
    part: 'ssh',
    about: 'port of the SSH server',
  },
  user: { alias: 'l', type: 'string', array: true, value: 'USER', part: 'ssh', about: 'user there' },
  identity: {
    alias: 'i',
    type: 'string',
    array: true,
    value: 'FILE',
    part: 'ssh',
    about: 'private key; may be repeated',
  },
  jump: {
    alias: 'J',
    type: 'string',
    array: true,
    value: 'HOST[,HOST]',
    part: 'ssh',
    about: 'go through these hosts, the nearest first',
  },
  config: {
    alias: 'F',
    type: 'string',
    array: true,
    value: 'FILE',
    part: 'ssh',
    about: 'configuration instead of ~/.ssh/config',
  },
  option: {
    alias: 'o',
    type: 'string',
    array: true,
    value: 'NAME=VALUE',
    part: 'ssh',
    about: 'an ssh_config option; may be repeated',
  },
  compress: { alias: 'C', type: 'boolean', part: 'ssh', about: 'compress' },
  ipv4: { alias: '4', type: 'boolean', part: 'ssh', about: 'only IPv4' },
  ipv6: { alias: '6', type: 'boolean', part: 'ssh', about: 'only IPv6' },
  'no-command': { alias: 'N', type: 'boolean', part: 'ssh', about: 'accepted: a shell is never opened' },
  verbose: {
    alias: 'v',
    type: 'count',
    part: 'ssh',
    about: 'say what is done; -vv adds the messages of the SSH protocol',
  },
  quiet: { alias: 'q', type: 'boolean', part: 'ssh', about: 'only errors' },
  transport: {
    type: 'string',
    array: true,
    value: 'TRANSPORT',
    part: 'general',
    about: 'auto, ssh2 (our own) or openssh (the ssh program); default auto',
  },
  detach: {
    alias: 'd',
    type: 'boolean',
    part: 'session',
    about: 'also -f: leave it in the background when everything is open',
  },
  wait: { type: 'boolean', part: 'session', about: 'try again when the first connection fails, too' },
  hold: {
    type: 'string',
    array: true,
    value: 'TIME',
    part: 'session',
    about: 'how long a connection waits while the session is down; default 15s',
  },
  'retry-dial': {
    type: 'string',
    array: true,
    value: 'TIME',
    part: 'session',
    about: 'how long a target that refuses is tried again; default 2s',
  },
  reconnect: {
    type: 'string',
    array: true,
    value: 'WHEN',
    part: 'session',
    about: 'no, yes, or the shortest and longest wait: default 500ms..30s',
  },
  open: {
    type: 'boolean',
    part: 'session',
    about: 'show the first URL in the browser, once it answers',
  },
  http: {
    type: 'string',
    array: true,
    value: '[ADDR:]PORT',
    part: 'http',
    about: 'a reverse proxy here: several apps behind one port; needs routes',
  },
  route: {
    alias: 'r',
    type: 'string',
    array: true,
    value: 'ROUTE',
    part: 'http',
    about:
      '[HOST]/PATH=UPSTREAM[,keep-prefix][,spa]; UPSTREAM is a port or a socket there, or a folder here; may be repeated',
  },
  caddyfile: {
    type: 'string',
    array: true,
    value: 'FILE',
    otherwise: './Caddyfile',
    part: 'http',
    about: 'take the routes from a Caddyfile; without FILE ./Caddyfile; for any other name --caddyfile=FILE',
  },
  'remote-dir': {
    type: 'string',
    array: true,
    value: 'DIR',
    part: 'http',
    about: 'where relative sockets in it are from, there; default the home',
  },
  as: {
    type: 'string',
    array: true,
    value: 'NAME',
    part: 'http',
    about: 'the name that apps see, so that a login for production works here',
  },
  'allow-host': {
    type: 'string',
    array: true,
    value: 'NAME',
    part: 'http',
    about: 'answer to this name, too',
  },
  'allow-origin': {
    type: 'string',
    array: true,
    value: 'ORIGIN',
    part: 'http',
    about: 'let pages from there change things here',
  },
  spa: { type: 'boolean', part: 'http', about: 'folders answer unknown paths with their index.html' },
  'log-queries': { type: 'boolean', part: 'http', about: 'put query strings into the log' },
  'log-cookies': { type: 'boolean', part: 'http', about: 'put cookies into the log' },
  wireguard: {
    type: 'string',
    array: true,
    value: 'ADDR[,interface=NAME]',
    part: 'wireguard',
    about:
      'where HOST is in a WireGuard VPN: its ports are reached there while that is up, and over SSH when it is not, under the same local URL',
  },
  via: {
    type: 'string',
    array: true,
    value: 'WAY',
    part: 'wireguard',
    about: 'auto, wireguard or ssh; default auto',
  },
  standby: {
    type: 'boolean',
    part: 'wireguard',
    about: 'have the SSH connection ready while WireGuard is used',
  },
  follow: { type: 'boolean', part: 'command', about: 'with logs, also -f: go on as more is told' },
  all: {
    type: 'boolean',
    part: 'command',
    about: "with stop: every session; with scan: the system's services, too",
  },
  print: { type: 'boolean', part: 'command', about: 'with service: show the file, and do nothing' },
  description: {
    type: 'string',
    array: true,
    value: 'TEXT',
    part: 'command',
    about: 'with save: what it is for',
  },
  tag: {
    type: 'string',
    array: true,
    value: 'WORD',
    part: 'command',
    about: 'with save: a word to find it by; may be repeated',
  },
  force: { type: 'boolean', part: 'command', about: 'with profile import: replace what is there' },
  json: {
    type: 'boolean',
    part: 'general',
    about: 'one event a line on standard output; explain: one document',
  },
  help: {
    alias: 'h',
    type: 'boolean',
    part: 'general',
    about: 'help, also of one command: tunnel ls --help',
  },
  version: { alias: 'V', type: 'boolean', part: 'general', about: 'the version' },
} as const satisfies Record<string, Flag>;

export type FlagName = keyof typeof flags;

/** Those of the reverse proxy. */
export const httpFlags = [
  'http',
  'route',
  'caddyfile',
  'remote-dir',
  'as',
  'allow-host',
  'allow-origin',
  'spa',
  'log-queries',
  'log-cookies',
] as const;

export const flagsByName: ReadonlyMap<string, Flag> = new Map(Object.entries(flags));
/** What letters stand for, unless a command means something else by them. */
export const letterNames: ReadonlyMap<string, FlagName> = new Map([
  ...Object.entries(flags).flatMap(([name, flag]): [string, FlagName][] =>
    'alias' in flag ? [[flag.alias, name as FlagName]] : [],
  ),
  // ssh's own letter for it.
  ['f', 'detach'],
]);

/** What letters stand for. */
export type Letters = Readonly<Record<string, FlagName>>;
