import { addAbortListener } from 'node:events';
import ssh2, { type Client, type ConnectConfig } from 'ssh2';
import type { HostSettings } from '../../config/settings.ts';
import { ConnectError, ConnectionLostError, TunnelError } from '../../errors.ts';
import { algorithmsFor } from './algorithms.ts';
import { Authenticator } from './authenticate.ts';
import type { SshConnection } from '../connection.ts';
import { Ssh2Connection } from './connection.ts';
import type { SshContext } from '../context.ts';
import { Deadline } from '../deadline.ts';
import { HostKeyCheck } from '../host-key.ts';
import { lastHop, refuseLoop } from '../jump-hosts.ts';
import { authenticateAtOnce, onAuthFailure, signAtOnce } from './internals.ts';
import { keepAlive } from './keepalive.ts';
import { reusePacketMemory } from './packet-memory.ts';
import { rekeyAfter } from './rekey.ts';
import { openTransport, type Transport } from './transport.ts';

/** ssh waits for ever for a server that accepts and then says nothing; nobody wants that. */
const HANDSHAKE_LIMIT_SECONDS = 30;
/** sshd's own LoginGraceTime; time spent by a person answering does not count here. */
const LOGIN_LIMIT_SECONDS = 120;
const HUNG_UP = 'the server closed the connection';

/**
 * Opens an SSH connection, through its jump hosts where it has some: reaches the server, checks its host key,
 * authenticates. Throws a `ConnectError`, or the reason of `context.signal`. The caller closes the connection.
 */
export async function connect(
  settings: HostSettings,
  context: SshContext,
  jumps = 0,
): Promise<SshConnection> {
  refuseLoop(settings, jumps);
  const hop = await connectHop(settings, context, jumps);
  const transport =
    hop === undefined ? await openTransport(settings, context) : await throughHop(hop, settings, context);
  try {
    return await handshake(transport, settings, context);
  } catch (error) {
    transport.stream.destroy();
    throw error;
  }
}

async function connectHop(
  settings: HostSettings,
  context: SshContext,
  jumps: number,
): Promise<SshConnection | undefined> {
  const hop = await lastHop(settings, context.signal);
  return hop && (await connect(hop.settings, context, jumps + 1));
}

async function throughHop(
  hop: SshConnection,
  settings: HostSettings,
  context: SshContext,
): Promise<Transport> {
  const { hostname: host, port, alias, connectTimeout: seconds } = settings;
  const limits = seconds === undefined ? [] : [AbortSignal.timeout(seconds * 1000)];
  try {
    const stream = await hop.dial({ kind: 'tcp', host, port }, AbortSignal.any([context.signal, ...limits]));
    stream.once('close', () => void hop.close());
    return { stream, address: `${host}:${port} via ${hop.settings.alias}` };
  } catch (cause) {
    await hop.close();
    context.signal.throwIfAborted();
    throw new ConnectError('jump-failed', `Cannot reach ${alias} from the jump host ${hop.settings.alias}`, {
      cause,
      hint: [
        cause instanceof Error ? cause.message : String(cause),
        `It should be at ${host} port ${port}, seen from there.`,
      ],
    });
  }
}

async function handshake(
  transport: Transport,
  settings: HostSettings,
  context: SshContext,
): Promise<SshConnection> {
  const deadline = new Deadline();
  const limitMs = (settings.connectTimeout ?? HANDSHAKE_LIMIT_SECONDS) * 1000;
  const unwatch = watch(transport, settings, deadline);
  const over = new AbortController();
  const { ask: anybody, ...quiet } = context;
  // Each hop has its own BatchMode.
  const ask = settings.batchMode ? undefined : anybody;
  const unhurried: SshContext = {
    ...quiet,
    signal: AbortSignal.any([context.signal, over.signal]),
    ...(ask && { ask: (question, signal) => deadline.pausedFor(() => ask(question, signal)) }),
  };
  const client = new ssh2.Client();
  const announced = announcedHostKeys(client);
  const authenticator = new Authenticator(settings, unhurried, client, (error) => deadline.fail(error));
  authenticator.prepare();
  const abort = addAbortListener(context.signal, () => deadline.fail(context.signal.reason as Error));
  // Once: there is another one at every re-keying.
  client.once('handshake', () => {
    context.phase('authenticating');
    deadline.start(LOGIN_LIMIT_SECONDS * 1000, () => silent(settings, 'authentication'));
  });
  client.on('banner', (text) => context.warn(text.trimEnd()));
  try {
    deadline.start(limitMs, () => slowHostKeys(settings));
    const hostKey = await Promise.race([
      HostKeyCheck.create(settings, unhurried, transport.ip),
      deadline.expired,
    ]);
    deadline.start(limitMs, () => silent(settings, 'the key exchange'));
    await Promise.race([
      login(client, transport, settings, hostKey, authenticator, context),
      deadline.expired,
    ]);
    // Before anything is waited for: from now on the connection is what notices that it is lost.
    const connection = established(client, transport, settings, hostKey);
    await hostKey.remember();
    announced
      .then((keys) => hostKey.update(keys))
      .catch((error: unknown) => context.debug(`UpdateHostKeys: ${String(error)}`));
    return connection;
  } catch (error) {
    client.on('error', () => undefined);
    client.destroy();
    // Ends questions and commands that are under way.
    over.abort(error);
    throw error;
  } finally {
    deadline.stop();
    unwatch();
    abort[Symbol.dispose]();
  }
}

/**
 * ssh2 listens only from `client.connect` on, and a server may hang up before. It also waits for a stream to close,
 * which a jump host's channel does not do by itself at its end.
 */
function watch({ stream }: Transport, settings: HostSettings, deadline: Deadline): () => void {
  const ended = (): void => deadline.fail(asConnectError(new Error(HUNG_UP), settings));
  stream.on('error', (error: Error) => deadline.fail(asConnectError(error, settings)));
  stream.on('end', ended).on('close', ended);
  if (stream.destroyed || stream.readableEnded) ended();
  return () => stream.off('end', ended).off('close', ended);
}

/** Those that ssh2 has seen proved: it asks the server to sign with each of them. They come once, after the login. */
function announcedHostKeys(client: Client): Promise<Buffer[]> {
  return new Promise((resolve) => {
    client.once('hostkeys', (keys) => resolve(keys.map((key) => key.getPublicSSH())));
  });
}

function login(
  client: Client,
  transport: Transport,
  settings: HostSettings,
  hostKey: HostKeyCheck,
  authenticator: Authenticator,
  context: SshContext,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error & { level?: string }): void => {
      if (error.level === 'agent') return;
      reject(hostKey.rejection ?? explain(error, settings, authenticator));
    };
    client.on('error', fail);
    client.once('close', () => fail(new Error(HUNG_UP)));
    client.once('change password', () => reject(passwordExpired(settings)));
    client.once('ready', () => resolve());
    const config: ConnectConfig = {
      sock: transport.stream,
      username: settings.user,
      algorithms: algorithmsFor(settings, hostKey.knownTypes),
      hostVerifier: (key: Buffer, verify: (valid: boolean) => void) => hostKey.verify(key, verify),
      authHandler: (_methods, _partial, next) => {
        authenticator
          .next()
          .then((attempt) => next(attempt ?? (false as never)))
          .catch((error: unknown) => reject(error as Error));
      },
      // Sockets are forwarded by servers other than OpenSSH, too; those that cannot refuse the channel.
      strictVendor: false,
      // Time that a person takes to answer must not count; see Deadline.
      readyTimeout: 0,
      ...(context.trace === undefined ? {} : { debug: context.trace }),
    };
    try {
      client.connect(config);
    } catch (error) {
      reject(explain(error as Error, settings, authenticator));
      return;
    }
    onAuthFailure(client, (methods, partial) => authenticator.refused(methods, partial));
    authenticateAtOnce(client);
    signAtOnce(client, () => authenticator.signsFreely);
  });
}

function established(
  client: Client,
  transport: Transport,
  settings: HostSettings,
  hostKey: HostKeyCheck,
): SshConnection {
  reusePacketMemory(client, transport.stream);
  transport.memory?.watch(client);
  const connection = new Ssh2Connection(client, transport, settings);
  // Re-keying shows the host key again; ssh2's own error says only that it was denied.
  client.prependListener('error', () => {
    if (hostKey.rejection !== undefined) connection.abandon(hostKey.rejection);
  });
  const { serverAliveInterval: seconds, serverAliveCountMax: countMax, alias, rekeyLimit } = settings;
  if (rekeyLimit !== undefined) void connection.closed.then(rekeyAfter(client, transport.stream, rekeyLimit));
  if (seconds > 0) {
    const stop = keepAlive(client, transport.stream, seconds, countMax, () => {
      connection.abandon(
        new ConnectionLostError('no-answer', `${alias} has not answered for ${seconds * countMax} s`),
      );
    });
    void connection.closed.then(stop);
  }
  return connection;
}

function explain(
  error: Error & { level?: string },
  settings: HostSettings,
  authenticator: Authenticator,
): TunnelError {
  return error.level === 'client-authentication' ? authenticator.failure() : asConnectError(error, settings);
}

function asConnectError(error: Error, { alias }: HostSettings): TunnelError {
  if (error instanceof TunnelError) return error;
  const lacking = /^Handshake failed: no matching (?:[CS]->[CS] )?(.*)$/.exec(error.message)?.[1];
  if (lacking !== undefined) return noCommonAlgorithm(lacking, alias, error);
  return new ConnectError('handshake-failed', `Cannot open an SSH session with ${alias}: ${error.message}`, {
    cause: error,
    hint: [`Try: ssh -v ${alias}`],
  });
}

function noCommonAlgorithm(lacking: string, alias: string, cause: Error): ConnectError {
  return new ConnectError('no-common-algorithm', `ssh2 and ${alias} have no ${lacking} in common`, {
    cause,
    hint: ['OpenSSH has more of them, where it is installed: --transport openssh', '-vvv shows both lists.'],
  });
}

function silent(settings: HostSettings, during: string): ConnectError {
  return new ConnectError('timeout', `${settings.alias} stopped answering during ${during}`, {
    hint: [`Is port ${settings.port} really an SSH server? Try: ssh -v ${settings.alias}`],
  });
}

function slowHostKeys({ alias, knownHostsCommand: command }: HostSettings): ConnectError {
  return new ConnectError('timeout', `The known host keys of ${alias} could not be read in time`, {
    hint: [
      command === undefined
        ? 'Are the known_hosts files on a disk that answers?'
        : `The KnownHostsCommand may not end: ${command}`,
    ],
  });
}

function passwordExpired({ alias, user }: HostSettings): ConnectError {
  return new ConnectError('password-expired', `${alias} wants ${user} to choose a new password first`, {
    hint: [`Choose one with: ssh ${alias}`],
  });
}
