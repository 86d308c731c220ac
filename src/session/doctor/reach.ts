import { lookup } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';
import type { HostSettings } from '../../config/settings.ts';
import { bracketed } from '../../endpoint.ts';
import { systemCode } from '../../errors.ts';
import { printable } from '../../printable.ts';
import { failed, ok, type Outcome, type Report } from './finding.ts';

const FAMILY = { any: 0, inet: 4, inet6: 6 } as const;
const CONNECT_MS = 5000;
const BANNER_MS = 5000;
/** RFC 4253, section 4.2: other lines may come before it. */
const LONGEST_BANNER = 4096;

/**
 * Finds the addresses of the host, connects to each, and reads how the server introduces itself. `name` is put in front
 * where it is a jump host. Returns whether an SSH server answers.
 */
export async function reach(settings: HostSettings, report: Report, name = ''): Promise<boolean> {
  const addresses: string[] = [];
  const found = await report.step('resolve', async () => {
    const family = FAMILY[settings.addressFamily];
    try {
      addresses.push(
        ...(await lookup(settings.hostname, { all: true, family })).map(({ address }) => address),
      );
    } catch (cause) {
      return {
        ...unknownName(settings, cause),
        what: `${name}Cannot find the address of ${settings.hostname}`,
      };
    }
    return ok(`${name}${settings.hostname} is ${addresses.join(', ')}`);
  });
  if (found.verdict !== 'ok') return false;
  return await reachAddresses(addresses, settings, report, name);
}

async function reachAddresses(
  addresses: readonly string[],
  settings: HostSettings,
  report: Report,
  name: string,
): Promise<boolean> {
  let reached: Socket | undefined;
  for (const [index, address] of addresses.entries()) {
    const start = performance.now();
    const where = `${bracketed(address)} port ${settings.port}`;
    const isLast = index === addresses.length - 1;
    try {
      const socket = await dial(address, settings);
      report.add('address', ok(`${name}${where} accepts connections`), performance.now() - start);
      if (reached === undefined) reached = socket;
      else socket.destroy();
    } catch (error) {
      const outcome = unreachable(`${name}${where}`, error, settings);
      // Another address may do.
      const lesser = reached !== undefined || !isLast ? { ...outcome, verdict: 'warning' as const } : outcome;
      report.add('address', lesser, performance.now() - start);
    }
  }
  if (reached === undefined) return false;
  const socket = reached;
  const greeted = await report.step('banner', async () => await readBanner(socket, settings, name));
  return greeted.verdict !== 'failed';
}

function dial(host: string, { port, connectTimeout, bindAddress }: HostSettings): Promise<Socket> {
  const limitMs = connectTimeout === undefined ? CONNECT_MS : connectTimeout * 1000;
  const socket = connect({ host, port, noDelay: true, ...(bindAddress && { localAddress: bindAddress }) });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy();
      reject(Object.assign(new Error(`no answer for ${limitMs / 1000} s`), { code: 'ETIMEDOUT' }));
    }, limitMs);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
    // Held for as long as the socket is there.
    socket.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

/** Reads until the line that says SSH, and hangs up. */
async function readBanner(socket: Socket, { port, alias }: HostSettings, name: string): Promise<Outcome> {
  const text = await new Promise<string | undefined>((resolve) => {
    let received = '';
    const timer = setTimeout(() => resolve(received === '' ? undefined : received), BANNER_MS);
    const finish = (): void => {
      clearTimeout(timer);
      resolve(received);
    };
    socket.on('data', (data: Buffer) => {
      received += data.toString('latin1');
      if (/^SSH-[^\n]*\n/m.test(received) || received.length > LONGEST_BANNER) finish();
    });
    socket.on('end', finish).on('close', finish).on('error', finish);
  });
  socket.destroy();
  const server = text === undefined ? undefined : /^SSH-([\d.]+)-([^\r\n]*)/m.exec(text);
  if (server) {
    const [, version = '', software = ''] = server;
    return /^(2\.|1\.99)/.test(version)
      ? ok(`${name}The server is ${printable(software)}`)
      : failed(`${name}The server speaks SSH ${printable(version)}, which nothing current does`);
  }
  if (text === undefined) {
    return failed(
      `${name}Port ${port} accepts connections, but says nothing: it is not an SSH server, or it hangs`,
      ['An SSH server says who it is at once. Is another port the right one? -p PORT'],
    );
  }
  if (text === '') {
    return failed(`${name}The server closed the connection at once, before it said anything`, [
      'Too many connections (MaxStartups), an address that is banned (fail2ban, PerSourcePenalties) or hosts.deny do that.',
      `Its own log tells: journalctl -u ssh, on ${alias}.`,
    ]);
  }
  const [said = ''] = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return failed(
    `${name}What listens on port ${port} is not an SSH server: it says "${printable(said).slice(0, 60)}"`,
    ['Is another port the right one? -p PORT'],
  );
}

function unknownName({ alias, hostname }: HostSettings, cause: unknown): Outcome {
  const origin = alias === hostname ? [] : [`It is the HostName of ${alias} in your ssh_config.`];
  return failed('', [
    ...origin,
    systemCode(cause) === 'EAI_AGAIN'
      ? 'The name service does not answer; is this machine online?'
      : 'Is the name spelled right? Names of your own are given with Host and HostName in ~/.ssh/config.',
  ]);
}

function unreachable(where: string, error: unknown, { alias }: HostSettings): Outcome {
  switch (systemCode(error)) {
    case 'ECONNREFUSED':
      return failed(`${where} refuses connections: nothing listens there`, [
        'Is sshd running there, and is this its port? Another one: -p PORT.',
      ]);
    case 'ETIMEDOUT':
      return failed(`${where} does not answer`, [
        'Is the host up, and does a firewall or a missing VPN stand between?',
      ]);
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
      return failed(`${where} cannot be reached: no route to it`, [
        'Is this machine online? Does the address need a VPN?',
      ]);
    default:
      return failed(`${where} cannot be connected to: ${String(error)}`, [`Try: ssh -v ${alias}`]);
  }
}
