import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import ssh2, { type AuthContext, type Connection, type ParsedKey, type Session } from 'ssh2';
import type { Endpoint } from '../../src/endpoint.ts';
import { abort } from './abort.ts';
import { generateKeys } from './generate-keys.ts';
import { splice } from './splice.ts';

export interface EmbeddedSshdOptions {
  /** Who may log in, under any user name: `ssh-ed25519 AAAA…`. */
  readonly publicKey?: string;
  readonly password?: string;
  /** Where commands run, and their $HOME. */
  readonly home: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Called before each connection is opened, to have it refused or never answered. */
  readonly onOpen?: (target: Endpoint) => 'refuse' | 'ignore' | undefined;
  /** Called with everything that clients send, as it comes from the network. */
  readonly onData?: (data: Buffer) => void;
}

export interface EmbeddedSshd {
  readonly host: string;
  readonly port: number;
  /** `ssh-ed25519 AAAA…`; a new one each time. */
  readonly hostKey: string;
  /** `SHA256:…`, as OpenSSH shows it. */
  readonly fingerprint: string;
  /** SSH connections since the start. */
  readonly total: number;
  /** SSH connections that are open now. */
  readonly open: number;
  /** Resets every SSH connection. */
  drop(): void;
  /** Starts a key exchange on every SSH connection (RFC 4253, section 9) in which a new host key is shown. */
  rekeyWithAnotherKey(): void;
  stop(): Promise<void>;
}

/**
 * An SSH server in this process, on 127.0.0.1, for where OpenSSH's is not installed: it forwards to ports and Unix
 * sockets and runs commands with /bin/sh, as the user of this process, for whoever has the key or the password.
 */
export async function startEmbeddedSshd(options: EmbeddedSshdOptions): Promise<EmbeddedSshd> {
  const keys = generateKeys();
  const hostKey = keys.public.trim();
  const connections = new Set<Connection>();
  const ssh = new ssh2.Server({ hostKeys: [keys.private] }, (connection) => {
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
    serve(connection, options);
  });
  const sockets = new Set<Socket>();
  let total = 0;
  // A listener of our own, so that `stop` can end connections that do not answer.
  const listener = createServer({ noDelay: true }, (socket) => {
    total += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    ssh.injectSocket(socket);
    if (options.onData) socket.on('data', options.onData);
  });
  listener.listen(options.port ?? 0, '127.0.0.1');
  await once(listener, 'listening');
  const drop = (): void => {
    for (const socket of sockets) abort(socket);
  };
  return {
    host: '127.0.0.1',
    port: (listener.address() as AddressInfo).port,
    hostKey,
    fingerprint: fingerprint(hostKey),
    get total() {
      return total;
    },
    get open() {
      return sockets.size;
    },
    drop,
    rekeyWithAnotherKey() {
      const other = generateKeys();
      for (const connection of connections) rekeyWith(connection, parse(other.private));
    },
    async stop() {
      const closed = once(listener, 'close');
      listener.close();
      drop();
      await closed;
    },
  };
}

function serve(connection: Connection, options: EmbeddedSshdOptions): void {
  const targets = new Set<Socket>();
  const open = (endpoint: Endpoint, accept: () => ssh2.ServerChannel, reject: () => void): void => {
    const fault = options.onOpen?.(endpoint);
    if (fault === 'refuse') reject();
    if (fault) return;
    const socket = connectTo(endpoint);
    targets.add(socket);
    socket.once('close', () => targets.delete(socket));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      splice(accept(), socket);
    });
  };
  connection
    .on('error', () => undefined)
    .on('close', () => {
      for (const socket of targets) socket.destroy();
    })
    .on('authentication', (context) => authenticate(context, options))
    .on('session', (accept) => runCommands(accept(), options.home))
    .on('tcpip', (accept, reject, { destIP, destPort }) =>
      open({ kind: 'tcp', host: destIP, port: destPort }, accept, reject),
    )
    .on('openssh.streamlocal', (accept, reject, { socketPath }) =>
      open({ kind: 'unix', path: socketPath }, accept, reject),
    );
}

/** A server has its host keys for good in ssh2's API; but at every exchange it looks them up in a private field. */
function rekeyWith(connection: Connection, hostKey: ParsedKey): void {
  const { _protocol } = connection as unknown as { _protocol: { _hostKeys: Record<string, ParsedKey> } };
  // Not changed in place: all connections share it.
  _protocol._hostKeys = { [hostKey.type]: hostKey };
  connection.rekey();
}

function connectTo(endpoint: Endpoint): Socket {
  const address =
    endpoint.kind === 'unix' ? { path: endpoint.path } : { host: endpoint.host, port: endpoint.port };
  return connect({ ...address, allowHalfOpen: true, noDelay: true });
}

function authenticate(context: AuthContext, { publicKey, password }: EmbeddedSshdOptions): void {
  const methods = [...(publicKey ? ['publickey' as const] : []), ...(password ? ['password' as const] : [])];
  const accepted =
    (context.method === 'publickey' && publicKey !== undefined && holdsKey(context, parse(publicKey))) ||
    (context.method === 'password' && password !== undefined && context.password === password);
  if (accepted) context.accept();
  else context.reject(methods);
}

/** Without a signature the client only asks whether the key would do (RFC 4252, section 7). */
function holdsKey(context: ssh2.PublicKeyAuthContext, allowed: ParsedKey): boolean {
  if (context.key.algo !== allowed.type || !context.key.data.equals(allowed.getPublicSSH())) return false;
  if (!context.signature || !context.blob) return true;
  // It gives an Error for a signature of another kind, whatever its type says.
  const verified: unknown = allowed.verify(context.blob, context.signature, context.hashAlgo);
  return verified === true;
}

function parse(text: string): ParsedKey {
  const key = ssh2.utils.parseKey(text);
  if (key instanceof Error) throw key;
  return key;
}

function runCommands(session: Session, home: string): void {
  session.on('exec', (accept, _reject, { command }) => {
    const channel = accept();
    const env = { PATH: process.env['PATH'], HOME: home, LANG: 'C.UTF-8' };
    const child = spawn('/bin/sh', ['-c', command], { cwd: home, env });
    channel.pipe(child.stdin).on('error', () => undefined);
    child.stdout.pipe(channel, { end: false });
    child.stderr.pipe(channel.stderr, { end: false });
    channel.on('close', () => child.kill('SIGKILL'));
    child.on('close', (status, signal) => {
      if (signal) channel.exit(signal);
      else channel.exit(status ?? 1);
      channel.end();
    });
  });
}

function fingerprint(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}
