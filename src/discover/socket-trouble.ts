import type { UnixEndpoint } from '../endpoint.ts';
import { DialError } from '../errors.ts';
import { openFailure, type ChannelRefusal } from './channel-refusal.ts';
import { excerpt } from './excerpt.ts';
import { forwardingProhibited, prohibited, socketsProhibited } from './prohibition.ts';
import { diagnose, undecided, unseen, type Trouble } from './socket-diagnosis.ts';
import { listening } from './socket-listener.ts';
import { probeSocket, type RemoteExec, type SocketFacts } from './socket-probe.ts';

/** The host that refused, as far as it is needed to ask it why. */
export interface RemoteHost {
  readonly settings: { readonly alias: string; readonly user: string };
  readonly exec: RemoteExec;
  /** Whether it forwards to any port; undefined if that cannot be told. Never rejects. */
  readonly tcpPermitted: () => Promise<boolean | undefined>;
}

/**
 * Finds out why a Unix socket over there was not opened. OpenSSH's sshd gives no reason (serverloop.c,
 * server_request_direct_streamlocal), so one command is run there to look; where that shows no obstacle, a port is tried.
 * Never rejects.
 *
 * Codes: `socket-missing`, `socket-is-not-a-socket`, `socket-permission`, `socket-path-too-long`,
 * `socket-nobody-listening`, `socket-queue-full`, `socket-forwarding-prohibited`, `forwarding-prohibited` (ports are,
 * too), `socket-forwarding-unsupported`, `socket-resource-shortage`, and `socket-unknown` where it cannot be told.
 */
export async function explainSocketTrouble(
  remote: RemoteHost,
  endpoint: UnixEndpoint,
  refusal: ChannelRefusal,
): Promise<DialError> {
  const { alias, user } = remote.settings;
  const { code, what, hint } = said(refusal, user) ?? (await found(remote, endpoint.path));
  return new DialError(code, `Cannot open ${excerpt(endpoint.path)} on ${excerpt(alias)}: ${what}`, {
    hint,
    cause: refusal,
  });
}

/** Servers other than OpenSSH may say it themselves. Sshd says `connectFailed` whatever it was. */
function said({ reason, description }: ChannelRefusal, user: string): Trouble | undefined {
  switch (reason) {
    case openFailure.prohibited:
      return prohibited(user, 'The server says that it is not permitted.');
    case openFailure.unknownChannelType:
      return {
        code: 'socket-forwarding-unsupported',
        what: 'the SSH server there cannot forward to Unix sockets',
        hint: ['OpenSSH can since version 6.7. Or let the app listen on a port of localhost there.'],
      };
    case openFailure.resourceShortage:
      return {
        code: 'socket-resource-shortage',
        what: 'the SSH server has no room for one more connection',
        hint: [`It says: ${excerpt(description)}`, 'Close some connections, and try again.'],
      };
    default:
      return undefined;
  }
}

async function found({ exec, settings, tcpPermitted }: RemoteHost, path: string): Promise<Trouble> {
  const seen = await look(exec, path);
  if (typeof seen === 'string') {
    // What permits no port permits no path, so that this is certain even where nobody could look.
    return (await tcpPermitted()) === false
      ? forwardingProhibited(settings.user, [])
      : unseen(settings.user, seen);
  }
  return diagnose(seen, settings.alias) ?? judge(seen, await tcpPermitted());
}

/** There is no obstacle to be seen; `ports`: whether they are permitted. */
function judge(facts: SocketFacts, ports: boolean | undefined): Trouble {
  if (ports === false) return forwardingProhibited(facts.user, facts.settings);
  if (listening(facts) !== 'yes') return undecided(facts);
  return ports === true
    ? socketsProhibited(facts.user, facts.settings)
    : prohibited(facts.user, 'A server listens on it and you may write to it, so it is sshd that refuses.');
}

/** What is seen there, or why nothing is. */
async function look(exec: RemoteExec, path: string): Promise<SocketFacts | string> {
  try {
    return (await probeSocket(exec, path)) ?? 'there is no POSIX shell';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
