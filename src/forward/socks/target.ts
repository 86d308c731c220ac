import type { SocksRefusal } from './request.ts';

type Refuse = (why: string) => SocksRefusal;

export function toPort(port: number, refuse: Refuse): number {
  if (port === 0) throw refuse('nothing can be connected to at port 0');
  return port;
}

/** The name as it was sent; `bytes` is undefined for one that is too long. */
export function toHostName(bytes: Buffer | undefined, refuse: Refuse): string {
  if (bytes === undefined) throw refuse('its host name is too long');
  if (bytes.length === 0) throw refuse('its host name is empty');
  const name = decode(bytes);
  // A NUL would end the name for some of those that read it, but not for those that judge it.
  if (name === undefined || /[\p{Cc}\s]/u.test(name))
    throw refuse('its host name has bytes that no name has');
  return name;
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
