import type { RequestBytes } from './request-bytes.ts';
import { SocksRefusal, type SocksRequest } from './request.ts';
import { toHostName, toPort } from './target.ts';

/** Neither memo sets a limit; no name that can be resolved and no user of a system is longer. */
const longestText = 255;

const granted = reply(90);
const rejected = reply(91);

/** Reads a SOCKS 4 or 4a request after its version. Neither the user's name nor identd (92, 93) is of any use here. */
export async function readSocks4(bytes: RequestBytes): Promise<SocksRequest> {
  const header = await bytes.take(7);
  const command = header.readUInt8(0);
  if (command !== 1) throw refuse(`${commandName(command)} is not supported, only CONNECT`);
  const port = toPort(header.readUInt16BE(1), refuse);
  const address = header.subarray(3);
  if ((await bytes.takeUntilNul(longestText)) === undefined) throw refuse('its user name is too long');
  const host = isInvalidOnPurpose(address)
    ? toHostName(await bytes.takeUntilNul(longestText), refuse)
    : address.join('.');
  return { endpoint: { kind: 'tcp', host, port }, granted, refused: () => rejected };
}

function refuse(why: string): SocksRefusal {
  return new SocksRefusal(why, rejected);
}

/** 0.0.0.x says that a name follows (SOCKS4A memo); 0.0.0.0 itself is an address. */
function isInvalidOnPurpose(address: Buffer): boolean {
  return address.readUInt32BE() < 256 && address.readUInt8(3) !== 0;
}

function commandName(command: number): string {
  return command === 2 ? 'BIND' : `command ${command}`;
}

/** The port and the address in it mean something for BIND only. */
function reply(code: number): Buffer {
  return Buffer.from([0, code, 0, 0, 0, 0, 0, 0]);
}
