import { type Field, without } from './header-fields.ts';

/**
 * `--as HOST`: the upstream sees its public name, and the browser this proxy's, so that a login meant for production
 * works here.
 */
export interface Presented {
  /** `https` unless told otherwise: what production is, and what the answers speak of. */
  readonly scheme: 'http' | 'https';
  /** With a port if it is not the scheme's own. */
  readonly host: string;
}

/** The origin a browser has, as in `http://localhost:8080`. */
interface Own {
  readonly hostport: string;
}

/** Host and what browsers derive from it, as they would be there. */
export function presentRequest(fields: readonly Field[], { scheme, host }: Presented, own: Own): Field[] {
  const from = `http://${own.hostport}`;
  const to = `${scheme}://${host}`;
  return fields.map(([name, value]) => {
    switch (name.toLowerCase()) {
      case 'host':
        return [name, host];
      case 'origin':
        return [name, value === from ? to : value];
      case 'referer':
        return [name, value === from || value.startsWith(`${from}/`) ? to + value.slice(from.length) : value];
      default:
        return [name, value];
    }
  });
}

/** The answer's redirects and cookies, as they must be here. */
export function presentAnswer(fields: readonly Field[], presented: Presented, own: Own): Field[] {
  // Strict-Transport-Security would make the browser insist on https for this name, on every port of this machine.
  const kept = without(fields, (name) => name === 'strict-transport-security');
  return kept.map(([name, value]) => {
    switch (name.toLowerCase()) {
      case 'location':
      case 'content-location':
      case 'access-control-allow-origin':
        return [name, localUrl(value, presented.host, own)];
      case 'set-cookie':
        return [name, localCookie(value, presented.host)];
      default:
        return [name, value];
    }
  });
}

function localUrl(url: string, host: string, { hostport }: Own): string {
  const found = /^(?:https?:)?\/\/([^/?#]+)/i.exec(url);
  return found?.[1]?.toLowerCase() === host.toLowerCase()
    ? `http://${hostport}${url.slice(found[0].length)}`
    : url;
}

/**
 * Without the Domain that is not this one's, and without Secure, which not every browser takes over http on localhost.
 * SameSite=None goes with Secure; and a name that begins with `__Secure-` or `__Host-` cannot be without it.
 */
function localCookie(cookie: string, host: string): string {
  const [pair = '', ...attributes] = cookie.split(';');
  const needsSecure = /^\s*__(?:secure|host)-/i.test(pair);
  const kept = attributes.filter((attribute) => {
    const [key = '', value = ''] = attribute.split('=').map((part) => part.trim().toLowerCase());
    if (key === 'domain') return !covers(value, host.toLowerCase().replace(/:\d+$/, ''));
    if (needsSecure) return true;
    return key !== 'secure' && !(key === 'samesite' && value === 'none');
  });
  return [pair, ...kept].join(';');
}

function covers(domain: string, host: string): boolean {
  const name = domain.replace(/^\./, '');
  return host === name || host.endsWith(`.${name}`);
}
