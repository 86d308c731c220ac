import { createHash } from 'node:crypto';
import { UsageError } from '../errors.ts';
import type { LocalEnvironment } from './local-environment.ts';

/** A connection as far as tokens tell about it. */
export interface TokenSubject {
  /** `%n`: the name as the person wrote it. */
  readonly alias: string;
  readonly hostname: string;
  readonly port: string;
  readonly user: string;
  readonly hostKeyAlias?: string | undefined;
  /** `%j`: the host of the last `ProxyJump` hop, which is the one that reaches the server. */
  readonly jumpHost?: string | undefined;
}

/** What a token is replaced with, by its letter. */
export type Tokens = Readonly<Record<string, string>>;

/** The tokens of ssh_config(5) that are known before a connection is made. */
export function tokensOf(subject: TokenSubject, local: LocalEnvironment): Tokens {
  const { alias, hostname, port, user, hostKeyAlias = alias, jumpHost = '' } = subject;
  const connection = [local.hostname, hostname, port, user, jumpHost].join('');
  return {
    '%': '%',
    C: createHash('sha1').update(connection).digest('hex'),
    d: local.home,
    h: hostname,
    i: String(local.uid),
    j: jumpHost,
    k: hostKeyAlias,
    L: local.hostname.replace(/\..*/s, ''),
    l: local.hostname,
    n: alias,
    p: port,
    r: user,
    u: local.user,
  };
}

interface Rule {
  readonly tokens?: string;
  readonly environment?: true;
  readonly tilde?: true;
}

const ANY = '%CLdhijklnpru';
const FILE: Rule = { tokens: ANY, environment: true, tilde: true };

/** Which kinds of expansion ssh_config(5) and ssh.c have for an option; there are none for any other. */
const RULES = {
  Hostname: { tokens: '%h' },
  ProxyCommand: { tokens: '%hknpr' },
  ProxyJump: { tokens: '%hknpr' },
  IdentityFile: FILE,
  CertificateFile: FILE,
  IdentityAgent: FILE,
  ControlPath: FILE,
  UserKnownHostsFile: FILE,
  GlobalKnownHostsFile: { tilde: true },
  KnownHostsCommand: { tokens: `${ANY}HIKft`, environment: true },
  // The variables in these are replaced before they are taken apart; see forward.ts.
  LocalForward: { tokens: ANY },
  RemoteForward: { tokens: ANY },
  Include: { tokens: ANY, environment: true },
} satisfies Record<string, Rule>;

export type ExpandedOption = keyof typeof RULES;

/**
 * Replaces a leading `~`, `%` tokens and `${VARIABLES}` in an option's value, each only where ssh does for this option.
 * Throws a `UsageError` ('ssh-config') for a token that the option does not have or a variable that is not set.
 */
export function expandOption(
  option: ExpandedOption,
  value: string,
  tokens: Tokens,
  local: LocalEnvironment,
): string {
  const rule: Rule = RULES[option];
  const refuse = (problem: string): UsageError =>
    new UsageError('ssh-config', `${option} ${value}: ${problem}`, {
      hint: ['ssh_config(5), TOKENS, lists what can be used.'],
    });
  const path = rule.tilde ? expandTilde(value, local, refuse) : value;
  // One pass, as in misc.c (vdollar_percent_expand): what a variable holds is not looked at again.
  return path.replace(/%(.?)|\$\{([^}]*)(\}?)/gsu, (text, letter?: string, name = '', close = '') => {
    if (letter !== undefined) {
      if (rule.tokens === undefined) return text;
      const replacement = rule.tokens.includes(letter) ? tokens[letter] : undefined;
      if (replacement === undefined) throw refuse(`there is no %${letter} here`);
      return replacement;
    }
    if (!rule.environment) return text;
    return variable(String(name), String(close), local.env, refuse);
  });
}

/** Replaces `${VARIABLES}` alone. `refuse` makes the error for one that is not set. */
export function expandVariables(
  text: string,
  env: NodeJS.ProcessEnv,
  refuse: (problem: string) => Error,
): string {
  return text.replace(/\$\{([^}]*)(\}?)/gs, (_, name: string, close: string) =>
    variable(name, close, env, refuse),
  );
}

function variable(
  name: string,
  close: string,
  env: NodeJS.ProcessEnv,
  refuse: (problem: string) => Error,
): string {
  if (close === '' || name === '') throw refuse('"${" needs a name and "}"');
  const value = env[name];
  if (value === undefined) throw refuse(`the environment has no ${name}`);
  return value;
}

function expandTilde(path: string, local: LocalEnvironment, refuse: (problem: string) => Error): string {
  const tilde = /^~([^/]*)\/*/.exec(path);
  if (tilde === null) return path;
  if (tilde[1] !== '' && tilde[1] !== local.user)
    throw refuse(`the home of ${tilde[1]} is not known; write the whole path`);
  return `${local.home.replace(/\/$/, '')}/${path.slice(tilde[0].length)}`;
}
