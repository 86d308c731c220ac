import { isIPv6 } from '../ip-address.ts';
import { bracketed } from '../endpoint.ts';
import { UsageError } from '../errors.ts';
import type { Destination } from './settings.ts';

const EXPECTED = 'Write [user@]host[:port], ssh://[user@]host[:port] or a Host of your ssh_config.';

// What OpenSSH refuses on its command line, because tokens carry it into commands (readconf.c, ssh_valid_hostname and
// ssh_valid_ruser). A space in a user name is refused as well.
const UNSAFE_IN_HOST = /['`"$\\;&<>|(){},\s\p{Cc}]/u;
const UNSAFE_IN_USER = /['`";&<>|(){}\s\p{Cc}]|\\$/u;

/**
 * Reads `[user@]host[:port]`, where an IPv6 address with a port is in brackets and the last `@` ends the user, or
 * `ssh://[user@]host[:port]`. Throws a `UsageError` ('bad-destination') that names the word and what is wrong with it.
 */
export function parseDestination(text: string): Destination {
  const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(text);
  if (scheme === null) return parseAuthority(text, text);
  if (scheme[1]?.toLowerCase() !== 'ssh') throw bad(text, `"${scheme[1]}" is not a protocol of this program`);
  return parseUri(text, text.slice(scheme[0].length));
}

/** The shortest text that `parseDestination` reads as this destination. */
export function formatDestination({ host, user, port }: Destination): string {
  return `${user === undefined ? '' : `${user}@`}${bracketed(host)}${port === undefined ? '' : `:${port}`}`;
}

function parseUri(text: string, rest: string): Destination {
  const authority = rest.replace(/\/$/, '');
  const at = authority.lastIndexOf('@');
  if (authority.slice(0, Math.max(at, 0)).includes(':')) {
    throw bad(
      text,
      'a password cannot be given in a URI',
      'Leave it out; it is asked for when it is needed.',
    );
  }
  if (/[/?#]/.test(authority)) throw bad(text, 'an ssh:// URI has no path, query or fragment here');
  const { user, ...where } = parseAuthority(text, authority);
  const host = where.host.replace(/%25/, '%'); // An IPv6 zone, RFC 6874.
  return user === undefined
    ? { ...where, host }
    : { ...where, host, user: checkUser(text, decoded(text, user)) };
}

function parseAuthority(text: string, authority: string): Destination {
  const at = authority.lastIndexOf('@');
  const { host, port } = splitPort(text, authority.slice(at + 1));
  return {
    host: checkHost(text, host),
    ...(at !== -1 && { user: checkUser(text, authority.slice(0, at)) }),
    ...(port !== undefined && { port: parsePort(text, port) }),
  };
}

function splitPort(text: string, rest: string): { host: string; port?: string | undefined } {
  const bracket = /^\[([^[\]]*)\](?::(.*))?$/.exec(rest);
  if (bracket !== null) return { host: bracket[1] ?? '', port: bracket[2] };
  if (/[[\]]/.test(rest))
    throw bad(text, 'the brackets are not around the address alone', 'Write it like [::1]:2222.');
  if (isIPv6(rest)) return { host: rest };
  const [host = '', port, ...more] = rest.split(':');
  if (more.length > 0) {
    throw bad(text, 'it has too many colons', 'An IPv6 address with a port is in brackets: [::1]:2222.');
  }
  return { host, port };
}

/** What could be taken for a flag of ssh or for more than a word by a ProxyCommand's shell is refused (ssh.c, valid_hostname). */
export function checkHost(text: string, host: string): string {
  if (host === '') throw bad(text, 'the host is missing');
  if (host.startsWith('-')) throw bad(text, 'a host does not begin with "-"');
  if (host.startsWith('/')) throw bad(text, 'that is a path');
  const unsafe = UNSAFE_IN_HOST.exec(host);
  if (unsafe !== null) throw bad(text, `a host has no ${JSON.stringify(unsafe[0])} in it`);
  return host;
}

/** As `checkHost` (ssh.c, valid_ruser). */
export function checkUser(text: string, user: string): string {
  if (user === '') throw bad(text, 'the user before "@" is missing');
  if (user.startsWith('-')) throw bad(text, 'a user does not begin with "-"');
  const unsafe = UNSAFE_IN_USER.exec(user);
  if (unsafe !== null) throw bad(text, `a user has no ${JSON.stringify(unsafe[0])} there`);
  return user;
}

function parsePort(text: string, port: string): number {
  const number = /^\d{1,5}$/.test(port) ? Number(port) : 0;
  if (number >= 1 && number <= 65_535) return number;
  throw bad(
    text,
    port === '' ? 'the port after ":" is missing' : `${JSON.stringify(port)} is not a port`,
    'A port is a number from 1 to 65535.',
  );
}

function decoded(text: string, user: string): string {
  try {
    return decodeURIComponent(user);
  } catch {
    throw bad(text, 'a "%" in the user is not followed by two hexadecimal digits of UTF-8');
  }
}

function bad(text: string, reason: string, next = EXPECTED): UsageError {
  const word = JSON.stringify(text.replace(/(:\/\/[^:@]*):.*@/s, '$1:…@')); // Without a password.
  return new UsageError('bad-destination', `${word} is not a host to connect to: ${reason}`, {
    hint: [next],
  });
}
