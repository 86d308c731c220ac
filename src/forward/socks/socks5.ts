import { SocketAddress } from 'node:net';
import { TunnelError } from '../../errors.ts';
import type { RequestBytes } from './request-bytes.ts';
import { SocksRefusal, type SocksRequest } from './request.ts';
import { toHostName, toPort } from './target.ts';

const noAuthentication = 0;

/** The answers of RFC 1928, section 3. */
const methodChosen = Buffer.from([5, noAuthentication]);
export const noAcceptableMethods = Buffer.from([5, 0xff]);

/** RFC 1928, section 6. */
const replyCode = {
  succeeded: 0,
  generalFailure: 1,
  notAllowed: 2,
  networkUnreachable: 3,
  hostUnreachable: 4,
  connectionRefused: 5,
  ttlExpired: 6,
  commandNotSupported: 7,
  addressTypeNotSupported: 8,
} as const;

/** What the code of a `DialError` is for a SOCKS client. There is none for a timeout; Tor takes the same as we. */
const replyCodeOf = new Map<string, number>([
  ['tcp-forwarding-prohibited', replyCode.notAllowed],
  ['connect-not-permitted', replyCode.notAllowed],
  ['connect-unreachable', replyCode.networkUnreachable],
  ['unknown-host', replyCode.hostUnreachable],
  ['name-server-failed', replyCode.hostUnreachable],
  ['connect-refused', replyCode.connectionRefused],
  ['connect-timeout', replyCode.ttlExpired],
]);

/** Reads what a SOCKS 5 client sends after its version, and answers its choice of methods with `say`. */
export async function readSocks5(bytes: RequestBytes, say: (answer: Buffer) => void): Promise<SocksRequest> {
  const methods = await bytes.take(await bytes.takeByte());
  if (!methods.includes(noAuthentication)) {
    throw new SocksRefusal('it insists on authentication', noAcceptableMethods);
  }
  say(methodChosen);

  const header = await bytes.take(4);
  const version = header.readUInt8(0);
  const command = header.readUInt8(1);
  if (version !== 5) throw refuse(`its request is of version ${version} after a greeting of version 5`);
  if (command !== 1) {
    throw refuse(`${commandName(command)} is not supported, only CONNECT`, replyCode.commandNotSupported);
  }
  const host = await readHost(bytes, header.readUInt8(3));
  const port = toPort((await bytes.take(2)).readUInt16BE(), refuse);
  return { endpoint: { kind: 'tcp', host, port }, granted, refused: (error) => reply(replyCodeFor(error)) };
}

async function readHost(bytes: RequestBytes, addressType: number): Promise<string> {
  switch (addressType) {
    case 1:
      return (await bytes.take(4)).join('.');
    case 3:
      return toHostName(await bytes.take(await bytes.takeByte()), refuse);
    case 4:
      return formatIpv6(await bytes.take(16));
    default:
      throw refuse(`it has an address of the unknown type ${addressType}`, replyCode.addressTypeNotSupported);
  }
}

function formatIpv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}

function commandName(command: number): string {
  return command === 2 ? 'BIND' : command === 3 ? 'UDP ASSOCIATE' : `command ${command}`;
}

function refuse(why: string, code: number = replyCode.generalFailure): SocksRefusal {
  return new SocksRefusal(why, reply(code));
}

function replyCodeFor(error: unknown): number {
  const code = error instanceof TunnelError ? replyCodeOf.get(error.code) : undefined;
  return code ?? replyCode.generalFailure;
}

const granted = reply(replyCode.succeeded);

/** From where we connect is known at the far end only, so the bound address is 0.0.0.0:0, as it is with `ssh -D`. */
function reply(code: number): Buffer {
  return Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
}
