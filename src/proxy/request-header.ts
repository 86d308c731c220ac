import type { IncomingMessage } from 'node:http';
import { endToEnd, type Field, toFields, without } from './header-fields.ts';
import { applyHeaderOps } from './header-ops.ts';
import { presentRequest, type Presented } from './presented.ts';
import type { HeaderOps } from './rule.ts';

export interface Upward {
  readonly request: IncomingMessage;
  readonly hostport: string;
  readonly prefix: string;
  readonly presented: Presented | undefined;
  readonly ops: HeaderOps | undefined;
  readonly expand: (text: string) => string;
  /** The protocol that is asked for instead of HTTP. */
  readonly upgrade: string | undefined;
}

/**
 * The header that an upstream gets: the one function for requests and upgrades alike.
 *
 * What says who the client is, is ours to say and not the client's. WSGI makes no difference between - and _ in a name,
 * so that X_Forwarded_For would be believed there as well. `Proxy` becomes HTTP_PROXY in a CGI's environment.
 */
export function headerUp({ request, hostport, prefix, presented, ops, expand, upgrade }: Upward): Field[] {
  const received = toFields(request.rawHeaders);
  let fields = without(endToEnd(received), isOursToSay);
  if (presented !== undefined) fields = presentRequest(fields, presented, { hostport });
  fields.push(
    ['X-Forwarded-For', request.socket.remoteAddress ?? '127.0.0.1'],
    ['X-Forwarded-Proto', presented?.scheme ?? 'http'],
    ['X-Forwarded-Host', presented?.host ?? hostport],
  );
  if (prefix !== '') fields.push(['X-Forwarded-Prefix', prefix]);
  if (ops !== undefined) fields = applyHeaderOps(fields, ops, expand);
  return [...fields, ...connectionFields(request, upgrade)];
}

function isOursToSay(name: string): boolean {
  const key = name.replaceAll('_', '-');
  return key.startsWith('x-forwarded') || key === 'forwarded' || key === 'x-real-ip' || key === 'proxy';
}

/** Of the next connection: what follows is framed as what came, and the client's promise to read trailers is passed on. */
function connectionFields({ headers }: IncomingMessage, upgrade: string | undefined): Field[] {
  const fields: Field[] = [];
  if (headers['transfer-encoding'] !== undefined) fields.push(['Transfer-Encoding', 'chunked']);
  const trailers = /(?:^|,)\s*trailers\s*(?:,|$)/i.test(String(headers.te ?? ''));
  if (trailers) fields.push(['TE', 'trailers']);
  const tokens = [...(trailers ? ['TE'] : []), ...(upgrade === undefined ? [] : ['Upgrade'])];
  if (upgrade !== undefined) fields.push(['Upgrade', upgrade]);
  fields.push(['Connection', [...tokens, ...(upgrade === undefined ? ['keep-alive'] : [])].join(', ')]);
  return fields;
}
