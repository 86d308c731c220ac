import { isIPv6 } from 'node:net';
import { quoted, toHost, type Refuse } from '../endpoint.ts';
import { UsageError } from '../errors.ts';

/** Where a host is inside the VPN: a name or an IP address (IPv6 without brackets). */
export interface WireguardAddress {
  readonly host: string;
  /** The WireGuard interface here that must lead to it. Needed where the system cannot tell what an interface is. */
  readonly interface?: string;
}

/** What `--wireguard` takes: `10.0.0.1`, `vps.internal`, `fd00::1,interface=wg0`. Throws a `UsageError` ('bad-wireguard'). */
export function parseWireguard(text: string): WireguardAddress {
  const refuse: Refuse = (why) => new UsageError('bad-wireguard', `${quoted(text)}: ${why}`);
  const [host = '', ...settings] = text.split(',');
  const address = { host: toVpnHost(host, refuse) };
  const [setting, more] = settings;
  if (setting === undefined) return address;
  if (more !== undefined) throw refuse('there is one setting only; write ADDRESS,interface=wg0');
  const [, name] = /^interface=(.*)$/s.exec(setting) ?? [];
  if (name === undefined) throw refuse(`${quoted(setting)} is not a setting; write ADDRESS,interface=wg0`);
  return { ...address, interface: toInterface(name, refuse) };
}

/** As `parseWireguard` reads it. */
export function formatWireguard(address: WireguardAddress): string {
  return address.interface === undefined ? address.host : `${address.host},interface=${address.interface}`;
}

function toVpnHost(written: string, refuse: Refuse): string {
  if (written === '') throw refuse('an address inside the VPN is missing; write 10.0.0.1 or a name');
  const bracketed = /^\[(.*)\]$/s.exec(written)?.[1];
  const text = bracketed ?? written;
  if (text.includes('%'))
    throw refuse('an address that needs its interface cannot be used; give the host another one in the VPN');
  if (text.includes('/')) throw refuse('one address is wanted, not a network');
  if (!isIPv6(text) && text.includes(':'))
    throw refuse('an address without a port is wanted; the ports are those of the forwards');
  return toHost({ text, kind: isIPv6(text) ? 'bracketed' : 'word' }, refuse);
}

/** Linux's IFNAMSIZ is 16 with the final NUL. A leading dash would be taken for an option by `ip` and `wg`. */
function toInterface(name: string, refuse: Refuse): string {
  if (!/^(?!-)[\w.=+-]{1,15}$/.test(name)) throw refuse(`${quoted(name)} is not the name of an interface`);
  return name;
}
