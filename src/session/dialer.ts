import { permitsRemoteOpen } from '../config/forwards.ts';
import type { HostSettings } from '../config/settings.ts';
import { openFailure } from '../discover/channel-refusal.ts';
import { explainSocketTrouble } from '../discover/socket-trouble.ts';
import { explainTcpRefusal } from '../discover/tcp-refusal.ts';
import { formatEndpoint, type Dialer, type Endpoint, type UnixEndpoint } from '../endpoint.ts';
import { DialError } from '../errors.ts';
import { dialLocal } from '../forward/local-dialer.ts';
import { ChannelOpenError } from '../ssh/channel-open-error.ts';
import type { SshConnection } from '../ssh/connection.ts';

/**
 * Loopback in a spelling that is in no PermitOpen, which sshd compares as text (channels.c, open_match): it is refused
 * unless every port is permitted. Not a name, so that no name server is waited for.
 */
const ANY_PORT: Endpoint = { kind: 'tcp', host: '0:0:0:0:0:0:0:1', port: 1 };

/** A prohibition is told at once; only a connection that is tried can take longer. */
const ANY_PORT_TIMEOUT_MS = 3000;

/** Dials over an SSH connection, and finds out why when the server refuses. */
export function explainedDialer(connection: SshConnection): Dialer {
  const remote = {
    settings: connection.settings,
    exec: (command: string) => connection.exec(command),
    tcpPermitted: () => permitsAnyPort(connection),
  };
  // Many connections to one broken socket are one question to the server.
  const asking = new Map<string, Promise<DialError>>();

  const explainSocket = (endpoint: UnixEndpoint, refusal: ChannelOpenError): Promise<DialError> => {
    const known = asking.get(endpoint.path);
    if (known !== undefined) return known;
    const answer = explainSocketTrouble(remote, endpoint, refusal).finally(() =>
      asking.delete(endpoint.path),
    );
    asking.set(endpoint.path, answer);
    return answer;
  };

  return async (endpoint, signal) => {
    try {
      return await connection.dial(endpoint, signal);
    } catch (error) {
      if (!(error instanceof ChannelOpenError)) throw error;
      if (endpoint.kind === 'unix') throw await explainSocket(endpoint, error);
      const { alias: host, user } = connection.settings;
      throw explainTcpRefusal({ endpoint, host, user, reason: error.reason, description: error.description });
    }
  };
}

async function permitsAnyPort(connection: SshConnection): Promise<boolean | undefined> {
  try {
    const stream = await connection.dial(ANY_PORT, AbortSignal.timeout(ANY_PORT_TIMEOUT_MS));
    stream.destroy();
    return true;
  } catch (error) {
    const reason = error instanceof ChannelOpenError ? error.reason : undefined;
    if (reason === openFailure.prohibited) return false;
    return reason === openFailure.connectFailed ? true : undefined;
  }
}

/** Dials here for the clients of a remote SOCKS proxy, as far as PermitRemoteOpen lets them. */
export function permittedDialer(settings: HostSettings): Dialer {
  return async (endpoint, signal) => {
    if (endpoint.kind === 'unix' || permitsRemoteOpen(settings, endpoint.host, endpoint.port)) {
      return await dialLocal(endpoint, signal);
    }
    throw new DialError(
      'tcp-forwarding-prohibited',
      `A client on ${settings.alias} may not reach ${formatEndpoint(endpoint)} from here`,
      {
        hint: ['PermitRemoteOpen in your ssh_config lists what it may reach.'],
      },
    );
  };
}
