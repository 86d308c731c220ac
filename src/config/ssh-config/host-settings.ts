import { resolve } from 'node:path';
import { formatDestination, parseDestination } from '../destination.ts';
import type { LocalEnvironment } from '../local-environment.ts';
import type {
  AddKeysToAgent,
  HostSettings,
  IdentityFile,
  RawOptions,
  RekeyLimit,
  SshFlags,
} from '../settings.ts';
import { expandOption, tokensOf, type ExpandedOption, type Tokens } from '../tokens.ts';
import { splitHops } from './hops.ts';
import { OptionValues } from './option-values.ts';
import { parseSeconds } from './quantities.ts';
import type { ResolvedOptions } from './resolved-options.ts';
import { splitPaths } from './split-paths.ts';

/** Turns the options that a source of configuration gives into settings: names to fields, text to values. */
export function toHostSettings(
  alias: string,
  flags: SshFlags,
  { options, defaults, warnings }: ResolvedOptions,
  local: LocalEnvironment,
): HostSettings {
  const values = new OptionValues(options, defaults);
  const tokens = tokensFor(alias, options, local);
  const expand: Expand = (option, value) => expandOption(option, value, tokens, local);
  const file: Expand = (option, value) => resolve(local.directory, expand(option, value));
  return {
    alias,
    hostname: values.text('hostname'),
    port: values.integer('port'),
    user: values.text('user'),
    addressFamily: values.oneOf('addressfamily', ['any', 'inet', 'inet6']),
    connectionAttempts: values.integer('connectionattempts'),
    tcpKeepAlive: values.flag('tcpkeepalive'),

    identityFiles: identityFiles(values, file),
    identitiesOnly: values.flag('identitiesonly'),
    batchMode: values.flag('batchmode'),
    numberOfPasswordPrompts: values.integer('numberofpasswordprompts'),
    preferredAuthentications: preferredAuthentications(values),

    userKnownHostsFiles: knownHostsFiles(values, 'UserKnownHostsFile', (path) =>
      resolve(local.directory, path),
    ),
    globalKnownHostsFiles: knownHostsFiles(values, 'GlobalKnownHostsFile', (path) =>
      file('GlobalKnownHostsFile', path),
    ),
    strictHostKeyChecking: strictHostKeyChecking(values),
    hashKnownHosts: values.flag('hashknownhosts'),
    updateHostKeys: updateHostKeys(values),
    checkHostIp: values.flag('checkhostip'),
    noHostAuthenticationForLocalhost: values.flag('nohostauthenticationforlocalhost'),

    serverAliveInterval: values.seconds('serveraliveinterval') ?? 0,
    serverAliveCountMax: values.integer('serveralivecountmax'),
    compression: values.flag('compression'),

    ...withoutUndefined({
      bindAddress: values.optional('bindaddress'),
      connectTimeout: values.seconds('connecttimeout') || undefined,
      identityAgent: identityAgent(values, local),
      addKeysToAgent: addKeysToAgent(values),
      hostKeyAlias: values.optional('hostkeyalias'),
      knownHostsCommand: values.optional('knownhostscommand'),
      rekeyLimit: rekeyLimit(values),
      pubkeyAcceptedAlgorithms: values.changedList('pubkeyacceptedalgorithms'),
      ciphers: values.changedList('ciphers'),
      macs: values.changedList('macs'),
      kexAlgorithms: values.changedList('kexalgorithms'),
      hostKeyAlgorithms: values.changedList('hostkeyalgorithms'),
    }),

    ...route(values, expand),
    jumpFlags: withoutUndefined({ configFile: flags.configFile }),

    options,
    configured: values.changedNames(),
    warnings,
  };
}

/** The tokens for a host whose options are known. */
export function tokensFor(alias: string, options: RawOptions, local: LocalEnvironment): Tokens {
  const first = (name: string): string | undefined => options.get(name)?.[0];
  const hop = splitHops(first('proxyjump')).at(-1);
  return tokensOf(
    {
      alias,
      hostname: first('hostname') ?? alias,
      port: first('port') ?? '22',
      user: first('user') ?? local.user,
      hostKeyAlias: first('hostkeyalias'),
      jumpHost: hop === undefined ? undefined : parseDestination(hop).host,
    },
    local,
  );
}

type Expand = (option: ExpandedOption, value: string) => string;

/** ssh adds its own default files only where no other is named, so those that differ from them are the person's. */
function identityFiles(values: OptionValues, file: Expand): IdentityFile[] {
  const explicit = values.isChanged('identityfile');
  const configured = values.all('identityfile').filter((path) => path.toLowerCase() !== 'none');
  return configured.map((path) => ({ path: file('IdentityFile', path), explicit }));
}

/** ssh's own order (readconf.c and sshconnect2.c); each method has an option that switches it off. */
const METHODS = 'gssapi-with-mic,hostbased,publickey,keyboard-interactive,password';
const SWITCHES = new Map([
  ['gssapi-with-mic', 'gssapiauthentication'],
  ['hostbased', 'hostbasedauthentication'],
  ['publickey', 'pubkeyauthentication'],
  ['keyboard-interactive', 'kbdinteractiveauthentication'],
  ['password', 'passwordauthentication'],
]);

function preferredAuthentications(values: OptionValues): string[] {
  const needsPerson = ['keyboard-interactive', 'password'];
  return (values.optional('preferredauthentications') ?? METHODS).split(',').filter((method) => {
    const option = SWITCHES.get(method);
    if (option !== undefined && !values.flag(option)) return false;
    return !(values.flag('batchmode') && needsPerson.includes(method));
  });
}

/** A path, the name of a variable that holds one, or "none"; ssh_config(5), IdentityAgent. */
function identityAgent(values: OptionValues, { env, directory }: LocalEnvironment): string | undefined {
  const agent = values.optional('identityagent') ?? 'SSH_AUTH_SOCK';
  if (agent === 'none') return undefined;
  const variable = agent === 'SSH_AUTH_SOCK' ? agent : /^\$(\w+)$/.exec(agent)?.[1];
  return variable === undefined ? resolve(directory, agent) : env[variable] || undefined;
}

function knownHostsFiles(
  values: OptionValues,
  option: ExpandedOption,
  path: (name: string) => string,
): string[] {
  const value = values.text(option.toLowerCase());
  return value.toLowerCase() === 'none' ? [] : splitPaths(value).map(path);
}

function strictHostKeyChecking(values: OptionValues): HostSettings['strictHostKeyChecking'] {
  const answer = values.text('stricthostkeychecking').toLowerCase();
  const inWords = { true: 'yes', false: 'no', off: 'no' }[answer] ?? answer;
  return (['yes', 'no', 'ask', 'accept-new'] as const).find((known) => known === inWords) ?? 'ask';
}

function updateHostKeys(values: OptionValues): HostSettings['updateHostKeys'] {
  if (values.text('updatehostkeys').toLowerCase() === 'ask') return 'ask';
  return values.flag('updatehostkeys') ? 'yes' : 'no';
}

/** `no`, `yes`, `ask`, `confirm`, `confirm 600` or `600`. */
function addKeysToAgent(values: OptionValues): AddKeysToAgent | undefined {
  const [word = '', time] = values.text('addkeystoagent').toLowerCase().split(' ');
  const lifetime = parseSeconds(time ?? word);
  if (lifetime === undefined && !values.flag('addkeystoagent')) return undefined;
  return { ask: word === 'ask', confirm: word === 'confirm', ...(lifetime ? { lifetime } : {}) };
}

function rekeyLimit(values: OptionValues): RekeyLimit | undefined {
  const [bytes = 0, seconds = 0] = values.text('rekeylimit').split(' ').map(Number);
  return bytes > 0 || seconds > 0 ? { bytes, seconds } : undefined;
}

function route(values: OptionValues, expand: Expand): Pick<HostSettings, 'proxyJump' | 'proxyCommand'> {
  const proxyJump = splitHops(values.optional('proxyjump')).map((hop) =>
    formatDestination(parseDestination(expand('ProxyJump', hop))),
  );
  const command = values.optional('proxycommand');
  if (command === undefined || proxyJump.length > 0) return { proxyJump };
  return { proxyJump, proxyCommand: expand('ProxyCommand', command) };
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function withoutUndefined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}
