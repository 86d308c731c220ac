import { isIPv4, isIPv6 } from 'node:net';

/** The `Host` field of a request: a name or an address in lower case, and the port if one is written. */
export interface HostField {
  /** An IPv6 address without brackets; a name without the dot that ends a complete one. */
  readonly name: string;
  readonly port: number | undefined;
}

/** Undefined for what is no host: it is never repaired. */
export function parseHostField(text: string): HostField | undefined {
  const found = /^(?:\[([\da-f:.]+)\]|([a-z\d_-]+(?:\.[a-z\d_-]+)*)\.?)(?::(\d{1,5}))?$/i.exec(text);
  if (found === null) return undefined;
  const [, address, name, port] = found;
  if (address !== undefined && !isIPv6(address)) return undefined;
  const number = port === undefined ? undefined : Number(port);
  if (number !== undefined && number > 65_535) return undefined;
  return { name: (address ?? name ?? '').toLowerCase(), port: number };
}

/** A name or an address as it stands in a route: `api.localhost`, `*.vps.localhost`. */
export function isHostPattern(text: string): boolean {
  const name = text.startsWith('*.') ? text.slice(2) : text;
  if (/^[\d.]+$/.test(name) && !isIPv4(name)) return false;
  return (
    name.length <= 253 && /^[a-z\d_]([a-z\d_-]*[a-z\d_])?(\.[a-z\d_]([a-z\d_-]*[a-z\d_])?)*$/i.test(name)
  );
}

/** A star stands for one label, as in Caddy and in certificates. */
export function matchesHost(pattern: string, name: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === name;
  const dot = name.indexOf('.');
  return dot > 0 && name.slice(dot) === pattern.slice(1);
}
