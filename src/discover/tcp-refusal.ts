import { formatEndpoint, type Endpoint } from '../endpoint.ts';
import { DialError } from '../errors.ts';
import { shellWord } from '../shell-word.ts';
import { openFailure, showSettings, type ChannelRefusal } from './channel-refusal.ts';
import { excerpt } from './excerpt.ts';

/** What a server said of a port that it did not open. */
export interface TcpRefusal extends ChannelRefusal {
  readonly endpoint: Endpoint;
  /** The host's name as the person wrote it. */
  readonly host: string;
  /** Who is logged in there. */
  readonly user?: string;
}

interface Cause {
  readonly words: RegExp;
  readonly code: string;
  readonly what: string;
  readonly next: (target: string, host: string) => string;
}

/**
 * The system's words for why connecting failed: sshd hands on strerror(3) and gai_strerror(3) (channels.c), as glibc,
 * musl, the BSDs and macOS have them; servers in Go put more around them.
 */
const CAUSES: readonly Cause[] = [
  {
    words: /connection refused/i,
    code: 'connect-refused',
    what: 'nothing listens there',
    next: (_target, host) => `Is the app running, and on this port? What is listened on: ssh ${host} ss -tln`,
  },
  {
    words: /timed? ?out/i,
    code: 'connect-timeout',
    what: 'no answer',
    next: (target, host) => `Does a firewall stand between ${host} and ${target}, or is it down?`,
  },
  {
    words: /temporary failure in name resolution|try again/i,
    code: 'name-server-failed',
    what: 'its name could not be looked up',
    next: (_target, host) => `The name server that ${host} asks does not answer; see /etc/resolv.conf there.`,
  },
  {
    words:
      /name or service not known|no address associated|name does not resolve|servname provided|no such host|unknown host|non-recoverable failure/i,
    code: 'unknown-host',
    what: 'no such host',
    next: (_target, host) => `The name is looked up on ${host}: can it be resolved there?`,
  },
  {
    words: /no route to host|unreachable|host is down/i,
    code: 'connect-unreachable',
    what: 'no route to it',
    next: (target, host) => `${host} has no way to ${target}, or a firewall rejects it.`,
  },
  {
    words: /permission denied|operation not permitted/i,
    code: 'connect-not-permitted',
    what: 'permission denied',
    next: (_target, host) => `A firewall or a security module on ${host} does not let sshd connect to it.`,
  },
];

/**
 * Why a TCP connection over there was not opened, as far as the server tells.
 *
 * Codes: `tcp-forwarding-prohibited`, `tcp-forwarding-unsupported`, `tcp-resource-shortage`, `connect-refused`,
 * `connect-timeout`, `connect-unreachable`, `connect-not-permitted`, `unknown-host`, `name-server-failed`, and
 * `connect-failed` for anything else.
 */
export function explainTcpRefusal(refusal: TcpRefusal): DialError {
  const { code, what, hint } = diagnose(refusal);
  const target = excerpt(formatEndpoint(refusal.endpoint));
  return new DialError(code, `Cannot connect to ${target} from ${excerpt(refusal.host)}: ${what}`, {
    hint,
    cause: { reason: refusal.reason, description: refusal.description },
  });
}

function diagnose(refusal: TcpRefusal): Pick<DialError, 'code' | 'hint'> & { what: string } {
  switch (refusal.reason) {
    case openFailure.prohibited:
      return prohibited(refusal);
    case openFailure.unknownChannelType:
      return {
        code: 'tcp-forwarding-unsupported',
        what: 'the SSH server there does not forward ports',
        hint: [`It says: ${excerpt(refusal.description)}`],
      };
    case openFailure.resourceShortage:
      return {
        code: 'tcp-resource-shortage',
        what: 'the SSH server has no room for one more connection',
        hint: [`It says: ${excerpt(refusal.description)}`, 'Close some connections, and try again.'],
      };
    default:
      return failed(refusal);
  }
}

/** Sshd says the same of a switch that is off and of a list that the target is not in. */
function prohibited({ endpoint, user }: TcpRefusal): ReturnType<typeof diagnose> {
  const target = excerpt(formatEndpoint(endpoint));
  return {
    code: 'tcp-forwarding-prohibited',
    what: 'the SSH server does not permit it',
    hint: [
      'If no port at all works: AllowTcpForwarding no or remote, or DisableForwarding yes in sshd_config; restrict or no-port-forwarding in authorized_keys.',
      `If others work: ${target} is not in PermitOpen of sshd_config, or in permitopen of authorized_keys. Names are compared as text there: localhost is not 127.0.0.1.`,
      `To see what holds: ${showSettings(user ?? 'USER', ['tcpforwarding', 'disableforwarding', 'permitopen'])}`,
    ],
  };
}

function failed({ description, endpoint, host }: TcpRefusal): ReturnType<typeof diagnose> {
  const target = excerpt(formatEndpoint(endpoint));
  const cause = CAUSES.find(({ words }) => words.test(description));
  if (cause !== undefined) {
    return { code: cause.code, what: cause.what, hint: [cause.next(target, shellWord(host))] };
  }
  return {
    code: 'connect-failed',
    what: 'the connection failed there',
    hint: [
      `The server says no more than: ${excerpt(description)}`,
      `Its log says more: ssh ${shellWord(host)} sudo journalctl -u ssh -n 20`,
    ],
  };
}
