import { lookup } from 'node:dns/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { bracketed } from '../../endpoint.ts';
import type { HostSettings } from '../../config/settings.ts';
import { ConnectError, systemCode } from '../../errors.ts';
import { ReadMemory } from './read-memory.ts';
import type { SshContext } from '../context.ts';
import { runProxyCommand } from './proxy-command.ts';

const FAMILY = { any: 0, inet: 4, inet6: 6 } as const;

/** The bytes that an SSH connection runs over. Belongs to whoever opened it, who destroys `stream`. */
export interface Transport {
  readonly stream: Duplex;
  /** What `stream` is read into, where that is ours. */
  readonly memory?: ReadMemory;
  /** For people: the address that was reached, or how. */
  readonly address: string;
  /** The server's own address; absent when something in between reaches it. */
  readonly ip?: string;
}

/**
 * Reaches the SSH server: by TCP, or through the configured ProxyCommand. Throws a `ConnectError`.
 * Jump hosts are not its business: they are SSH connections themselves.
 */
export async function openTransport(settings: HostSettings, context: SshContext): Promise<Transport> {
  if (settings.proxyCommand !== undefined) {
    refuseFdpass(settings);
    context.phase('connecting');
    return { stream: runProxyCommand(settings.proxyCommand, settings.alias), address: 'ProxyCommand' };
  }
  context.phase('resolving');
  const addresses = await resolve(settings);
  context.phase('connecting');
  return await tryEach(addresses, settings, context);
}

/** Such a command hands over a socket and ends: over pipes it would fail in a way that nobody understands. */
function refuseFdpass({ alias, options, proxyCommand }: HostSettings): void {
  if (options.get('proxyusefdpass')?.[0] !== 'yes') return;
  throw new ConnectError(
    'proxy-fdpass',
    `The ProxyCommand of ${alias} passes a socket on (ProxyUseFdpass), which ssh2 cannot take`,
    {
      hint: [
        `It is: ${proxyCommand ?? ''}`,
        'The ssh program can, where it is installed: --transport openssh',
      ],
    },
  );
}

async function resolve(settings: HostSettings): Promise<string[]> {
  const family = FAMILY[settings.addressFamily];
  const found = await lookup(settings.hostname, { all: true, family }).catch((cause: unknown) => {
    throw unknownHost(settings, cause);
  });
  // An address that is written out is given back, of whichever family it is.
  const wanted = found.filter((one) => family === 0 || one.family === family);
  if (wanted.length > 0) return wanted.map(({ address }) => address);
  throw new ConnectError(
    'unknown-host',
    `${settings.hostname} is no address of the family that is asked for`,
    {
      hint: [`AddressFamily is ${settings.addressFamily} (-4 and -6 set it, too).`],
    },
  );
}

function unknownHost(settings: HostSettings, cause: unknown): ConnectError {
  const alias = settings.alias === settings.hostname ? '' : ` (the HostName of ${settings.alias})`;
  return new ConnectError('unknown-host', `Cannot find the address of ${settings.hostname}${alias}`, {
    cause,
    hint: [
      systemCode(cause) === 'EAI_AGAIN'
        ? 'The name service does not answer; is this machine online?'
        : 'Is the name spelled right? Names of your own are given with Host and HostName in ~/.ssh/config.',
    ],
  });
}

/** Each address in the resolver's order, as often as ConnectionAttempts says, with a second between the rounds. */
async function tryEach(
  addresses: readonly string[],
  settings: HostSettings,
  context: SshContext,
): Promise<Transport> {
  const bindAddress = await resolveBindAddress(settings);
  let last: unknown;
  for (let attempt = 1; attempt <= settings.connectionAttempts; attempt += 1) {
    if (attempt > 1) await delay(1000, undefined, { signal: context.signal }).catch(() => undefined);
    context.signal.throwIfAborted();
    for (const address of addresses) {
      try {
        const memory = new ReadMemory();
        const stream = await dialTcp(address, bindAddress, settings, context.signal, memory);
        return { stream, memory, address: `${bracketed(address)}:${settings.port}`, ip: address };
      } catch (error) {
        context.signal.throwIfAborted();
        context.debug(
          `connect to ${bracketed(address)}:${settings.port}: ${systemCode(error) ?? String(error)}`,
        );
        last = error;
      }
    }
  }
  throw unreachable(settings, addresses, last);
}

/** Like ssh's, ours may be a name; a socket is bound to nothing but an address. */
async function resolveBindAddress({ bindAddress, addressFamily }: HostSettings): Promise<string | undefined> {
  if (bindAddress === undefined) return undefined;
  try {
    return (await lookup(bindAddress, { family: FAMILY[addressFamily] })).address;
  } catch (cause) {
    throw new ConnectError('bad-bind-address', `Cannot find the address of ${bindAddress} to connect from`, {
      cause,
      hint: ['See BindAddress in your ssh_config.'],
    });
  }
}

async function dialTcp(
  host: string,
  localAddress: string | undefined,
  settings: HostSettings,
  signal: AbortSignal,
  memory: ReadMemory,
): Promise<Socket> {
  const seconds = settings.connectTimeout;
  const limits = seconds === undefined ? [signal] : [signal, AbortSignal.timeout(seconds * 1000)];
  const limit = AbortSignal.any(limits);
  limit.throwIfAborted();
  const socket: Socket = connectTcp({
    host,
    port: settings.port,
    noDelay: true,
    keepAlive: settings.tcpKeepAlive,
    onread: memory.reading(() => socket),
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  return await new Promise<Socket>((resolve, reject) => {
    const giveUp = (): void => {
      socket.destroy();
      reject(limit.reason as Error);
    };
    limit.addEventListener('abort', giveUp, { once: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      limit.removeEventListener('abort', giveUp);
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

function unreachable(settings: HostSettings, addresses: readonly string[], cause: unknown): ConnectError {
  const where = `${addresses.map(bracketed).join(', ')} port ${settings.port}`;
  const code = cause instanceof Error && cause.name === 'TimeoutError' ? 'ETIMEDOUT' : systemCode(cause);
  const fail = (kind: string, what: string, next: string): ConnectError =>
    new ConnectError(kind, `Cannot connect to ${settings.alias} (${where}): ${what}`, {
      cause,
      hint: [next],
    });
  switch (code) {
    case 'ECONNREFUSED':
      return fail(
        'refused',
        'connection refused',
        'Is sshd running there, and is this its port? Another one: -p PORT.',
      );
    case 'ETIMEDOUT':
      return fail(
        'timeout',
        'no answer',
        'Is the host up, and does a firewall or a missing VPN stand between?',
      );
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
      return fail('unreachable', 'no route to it', 'Is this machine online? Does the address need a VPN?');
    case 'EADDRNOTAVAIL':
      return fail(
        'bad-bind-address',
        'the address to connect from is not one of this machine',
        'See BindAddress in your ssh_config.',
      );
    default:
      return fail('unreachable', code ?? String(cause), `Try: ssh ${settings.alias}`);
  }
}
