import type { HostSettings } from '../../config/settings.ts';
import { ConnectError } from '../../errors.ts';
import { NO_IS_NOT_ENOUGH } from '../host-key-question.ts';

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint: readonly string[];
}

/** An ssh that ended before it had a session. */
export interface FailedLogin {
  readonly settings: HostSettings;
  /** What ssh said, in order. */
  readonly messages: readonly string[];
  /** Keys and methods, in order. */
  readonly tried: readonly string[];
  readonly couldAsk: boolean;
  /** The question that the person did not answer. */
  readonly declined?: string | undefined;
  /** The settings are those of a jump host, whose ssh does not tell what it tried. */
  readonly isHop?: boolean;
  /** The host itself never said a word: what leads to it failed. */
  readonly unheard?: boolean;
}

/** What an ssh says when the command that leads to its host has ended; one behind several hops says it for each. */
const COMMAND_ENDED = /^Connection (?:closed|reset) by UNKNOWN port /;
const CONSEQUENCE = /^kex_exchange_identification: |^Connection (?:closed|reset) by UNKNOWN port /;
const TIMED_OUT = /banner exchange.*timed out|timed out during banner exchange/;

type Explain = (match: RegExpExecArray, login: FailedLogin) => Failure;

/**
 * What ssh says when it ends without a session, and what it means. The first that is found in any of its lines counts, so
 * that a cause comes before its consequence.
 */
const CAUSES: readonly (readonly [RegExp, Explain])[] = [
  [/^No user exists for uid (\d+)/, explainNoAccount],
  [/^ssh_askpass: exec\((.*)\): (.*)/, explainAskpass],
  [/Could not resolve hostname ([^:]+): (.*)/, explainUnknownHost],
  [/connect to (?:host|address) (\S+) port (\d+): (.*)/, explainUnreachable],
  [
    /banner exchange.*timed out|timed out during banner exchange|^Connection to \S+ port \d+ timed out/,
    explainSilence,
  ],
  [/REMOTE HOST IDENTIFICATION HAS CHANGED|HOST IDENTIFICATION HAS CHANGED/, explainChangedKey],
  [/REVOKED HOST KEY DETECTED|marked as revoked/, explainRevokedKey],
  [
    /Host key verification failed|host key is known for|Host certificate authority does not match/,
    explainUnknownKey,
  ],
  [
    /Permission denied \(|Too many authentication failures|No supported authentication methods/,
    explainRefusal,
  ],
  [/no matching (.*) found(?:\. Their offer: (.*))?/, explainNoAlgorithm],
];

/** The error to end with, from what ssh wrote. */
export function loginFailure(login: FailedLogin): ConnectError {
  const { code, message, hint } = explain(login);
  return new ConnectError(code, message, { hint, cause: new Error(reasonsIn(login.messages)) });
}

/** Without the rest of what was said, such as a server's instructions. */
function reasonsIn(messages: readonly string[]): string {
  const patterns = [...CAUSES.map(([pattern]) => pattern), CONSEQUENCE];
  const reasons = messages.filter((line) => patterns.some((pattern) => pattern.test(line)));
  return (reasons.length > 0 ? reasons : messages.slice(-1)).join('\n');
}

/**
 * The jump host that did not let us through, from what was written before the host was heard of: each hop's ssh runs the
 * one of the hop before it, and every ssh that comes after the failed one says that its command has ended.
 */
export function failedHop({ proxyJump }: HostSettings, messages: readonly string[]): string | undefined {
  const after = messages.filter((line) => COMMAND_ENDED.test(line)).length;
  return after === 0 ? undefined : proxyJump.at(-after);
}

/** ssh waits for ever where it has no ConnectTimeout. */
export function silence(settings: HostSettings, during: string): ConnectError {
  return new ConnectError('timeout', `${settings.alias} stopped answering during ${during}`, {
    hint: [`Is port ${settings.port} really an SSH server? Try: ssh -v ${settings.alias}`],
  });
}

function explain(login: FailedLogin): Failure {
  const { settings, messages, declined } = login;
  if (declined !== undefined) return explainDeclined(settings, declined);
  const { proxyCommand } = settings;
  const inTime = !messages.some((line) => TIMED_OUT.test(line));
  if (login.unheard === true && proxyCommand !== undefined && inTime) {
    return explainProxyCommand(login, proxyCommand);
  }
  for (const [pattern, explainCause] of CAUSES) {
    const match = messages.map((line) => pattern.exec(line)).find((found) => found !== null);
    if (match) return explainCause(match, login);
  }
  return {
    code: 'handshake-failed',
    message: `Cannot open an SSH session with ${settings.alias}: ${messages.at(-1) ?? 'ssh ended without a word'}`,
    hint: [...messages.slice(-4, -1), `Try: ssh -v ${settings.alias}`],
  };
}

/** What it said itself has been shown; an ssh in it, by its carriage returns, was taken for ours. */
function explainProxyCommand({ settings, messages }: FailedLogin, command: string): Failure {
  return {
    code: 'proxy-command',
    message: `The ProxyCommand of ${settings.alias} ended before the host answered`,
    hint: [...messages.filter((line) => !CONSEQUENCE.test(line)).slice(-3), `It is: ${command}`],
  };
}

function explainDeclined({ alias, user }: HostSettings, question: string): Failure {
  return /continue connecting/.test(question)
    ? {
        code: 'host-key-unknown',
        message: `The host key of ${alias} is not known`,
        hint: ['It was not accepted.'],
      }
    : {
        code: 'authentication-failed',
        message: `Permission denied: ${alias} did not let ${user} in`,
        hint: [`This was not answered: ${question.trim()}`],
      };
}

function explainAskpass([, program, reason]: RegExpExecArray): Failure {
  return {
    code: 'askpass',
    message: `ssh cannot run ${program}, which asks its questions: ${reason}`,
    hint: ['Is the temporary directory mounted with noexec? Another one: TMPDIR=DIRECTORY.'],
  };
}

function explainNoAccount([, uid]: RegExpExecArray): Failure {
  return {
    code: 'no-account',
    message: `ssh does not run as user ${uid}, which has no account on this machine`,
    hint: ['Give it a line in /etc/passwd, or do without ssh: --transport ssh2'],
  };
}

function explainUnknownHost([, name = '', reason = '']: RegExpExecArray, { settings }: FailedLogin): Failure {
  const whose = name === settings.alias ? '' : ` (for ${settings.alias})`;
  return {
    code: 'unknown-host',
    message: `Cannot find the address of ${name}${whose}`,
    hint: [
      /temporary failure/i.test(reason)
        ? 'The name service does not answer; is this machine online?'
        : 'Is the name spelled right? Names of your own are given with Host and HostName in ~/.ssh/config.',
    ],
  };
}

function explainUnreachable(
  [, host, port, reason = '']: RegExpExecArray,
  { settings }: FailedLogin,
): Failure {
  const fail = (code: string, what: string, next: string): Failure => ({
    code,
    message: `Cannot connect to ${settings.alias} (${host} port ${port}): ${what}`,
    hint: [next],
  });
  if (/refused/i.test(reason)) {
    return fail(
      'refused',
      'connection refused',
      'Is sshd running there, and is this its port? Another one: -p PORT.',
    );
  }
  if (/timed out/i.test(reason)) {
    return fail(
      'timeout',
      'no answer',
      'Is the host up, and does a firewall or a missing VPN stand between?',
    );
  }
  if (/assign requested address/i.test(reason)) {
    return fail(
      'bad-bind-address',
      'the address to connect from is not one of this machine',
      'See BindAddress in your ssh_config.',
    );
  }
  return fail('unreachable', reason.toLowerCase(), 'Is this machine online? Does the address need a VPN?');
}

function explainSilence(_match: RegExpExecArray, { settings }: FailedLogin): Failure {
  return silence(settings, 'the key exchange');
}

function explainChangedKey(_match: RegExpExecArray, { settings, messages }: FailedLogin): Failure {
  const fingerprint = messages.find((line) => line.startsWith('SHA256:'))?.replace(/\.$/, '');
  const offending = messages.find((line) => line.startsWith('Offending '));
  const command = messages.find((line) => line.trim().startsWith('ssh-keygen '))?.trim();
  return {
    code: 'host-key-changed',
    message: `The host key of ${settings.alias} has changed`,
    hint: [
      ...(fingerprint === undefined ? [] : [`It shows ${fingerprint}.`]),
      ...(offending === undefined ? [] : [`${offending}.`]),
      'Somebody may be listening in between; or the host was set up anew.',
      ...(settings.strictHostKeyChecking === 'no' ? [NO_IS_NOT_ENOUGH] : []),
      ...(command === undefined ? [] : [`Once you know that it was: ${command}`]),
    ],
  };
}

function explainRevokedKey(_match: RegExpExecArray, { settings }: FailedLogin): Failure {
  return {
    code: 'host-key-revoked',
    message: `The host key of ${settings.alias} is revoked`,
    hint: [
      'It is marked @revoked in a known_hosts file or in RevokedHostKeys.',
      'Do not connect. Ask whoever runs the host.',
    ],
  };
}

function explainUnknownKey(_match: RegExpExecArray, { settings }: FailedLogin): Failure {
  const where = settings.userKnownHostsFiles[0] ?? 'known_hosts';
  return {
    code: 'host-key-unknown',
    message: `The host key of ${settings.alias} is not known`,
    hint: [
      settings.strictHostKeyChecking === 'yes'
        ? `StrictHostKeyChecking is yes: add the key to ${where}, once you know that it is right.`
        : `Run this once in a terminal to accept it, or add it to ${where}.`,
    ],
  };
}

function explainRefusal(
  _match: RegExpExecArray,
  { settings, messages, tried, couldAsk, isHop }: FailedLogin,
): Failure {
  const { alias, user } = settings;
  const methods = messages
    .map((line) => /Permission denied \((.*)\)/.exec(line)?.[1])
    .findLast((found) => found);
  const asks = methods !== undefined && methods !== 'publickey';
  return {
    code: 'authentication-failed',
    message: `Permission denied: ${alias} did not let ${user} in`,
    hint: [
      ...(isHop === true ? [] : [tried.length === 0 ? 'Nothing was tried.' : `Tried: ${tried.join(', ')}.`]),
      ...(methods === undefined ? [] : [`The server accepts: ${methods.replaceAll(',', ', ')}.`]),
      asks && !couldAsk
        ? 'It may want a password or a code, and there is nobody to ask: run this in a terminal, or use a key.'
        : `See whether ssh gets in: ssh ${alias}`,
    ],
  };
}

function explainNoAlgorithm([, kind, offer]: RegExpExecArray, { settings }: FailedLogin): Failure {
  return {
    code: 'no-algorithm',
    message: `ssh and ${settings.alias} have no ${kind} in common`,
    hint: offer === undefined ? [] : [`The server offers: ${offer}`],
  };
}
