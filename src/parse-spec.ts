import {
  type Field,
  quoted,
  readFields,
  type Refuse,
  toEndpoint,
  toHost,
  toPort,
  toSocketPath,
  type UnixEndpoint,
} from './endpoint.ts';
import { UsageError } from './errors.ts';
import type { DynamicSpec, ForwardSpec, Listen, LocalSpec, RemoteSpec } from './spec.ts';

/**
 * Reads what follows `ssh -L`, and the shorter forms: `8081`, `8080:3000`, `host:5432`, a socket's path alone,
 * `auto:…`. Throws a `UsageError` (`bad-spec`) that quotes the word and says what would be right.
 */
export function parseSpec(text: string): LocalSpec {
  const refuse = refusing(text);
  return { kind: 'local', ...listenAndConnect(text, readFields(text, refuse), refuse) };
}

/**
 * Reads what follows `ssh -D`, `auto`, or the path of a local socket. Throws a `UsageError` (`bad-spec`).
 */
export function parseDynamicSpec(text: string): DynamicSpec {
  const refuse = refusing(text);
  const listen = listenAlone(readFields(text, refuse), refuse);
  if (listen === undefined)
    throw refuse('after -D there is a port to listen on alone, as in 1080 or 127.0.0.1:1080');
  return { kind: 'dynamic', listen };
}

/**
 * Reads what follows `ssh -R`, where a place to listen alone is a SOCKS proxy there, and the shorter forms of
 * `parseSpec` that have two sides. Port 0, or `auto`, lets the server choose. Throws a `UsageError` (`bad-spec`).
 */
export function parseRemoteSpec(text: string): RemoteSpec {
  const refuse = refusing(text);
  const fields = withServersChoice(readFields(text, refuse));
  const alone = isLocalPort(fields[0]) && fields.length > 1 ? undefined : listenAlone(fields, refuse);
  if (alone !== undefined) return { kind: 'remote', listen: alone, connect: 'socks' };
  return { kind: 'remote', ...listenAndConnect(text, fields, refuse) };
}

/**
 * Reads what `formatFlag` writes: a spec, with `-R` or `-D` in front where it is not a local one. Throws a `UsageError`
 * (`bad-spec`).
 */
export function parseForward(text: string): ForwardSpec {
  const [, letter, spec = text] = /^-([LRD])\s*(.*)$/s.exec(text) ?? [];
  if (letter === undefined && text.startsWith('-'))
    throw refusing(text)('a forward begins with -L, -R or -D, or with no flag');
  if (letter === 'R') return parseRemoteSpec(spec);
  return letter === 'D' ? parseDynamicSpec(spec) : parseSpec(spec);
}

function refusing(text: string): Refuse {
  return (why) => new UsageError('bad-spec', `${quoted(text)}: ${why}`);
}

/** RFC 4254, section 7.1: a server that is asked to listen on port 0 chooses one. */
function withServersChoice(fields: readonly Field[]): readonly Field[] {
  if (fields[0]?.kind === 'path') return fields;
  const port = isLocalPort(fields[0]) ? 0 : 1;
  return fields.map((field, index) =>
    index === port && field.kind === 'word' && /^0+$/.test(field.text)
      ? { kind: 'word', text: 'auto' }
      : field,
  );
}

/** `1080`, `127.0.0.1:1080` or a path; undefined when there is more than a place to listen. */
function listenAlone(fields: readonly Field[], refuse: Refuse): Listen | undefined {
  const [a, b, c] = fields as readonly [Field, ...(Field | undefined)[]];
  if (c !== undefined) return undefined;
  if (b === undefined) return a.kind === 'path' ? toLocalSocket(a, refuse) : toListen(a, undefined, refuse);
  return a.kind !== 'path' && isLocalPort(b) ? toListen(b, a, refuse) : undefined;
}

interface Sides {
  readonly listen: Listen;
  readonly connect: LocalSpec['connect'];
}

function listenAndConnect(text: string, fields: readonly Field[], refuse: Refuse): Sides {
  refuseTrailingColon(text, fields, refuse);
  const [a, b, c, d] = fields as readonly [Field, ...(Field | undefined)[]];
  if (b === undefined) return oneField(a, refuse);
  if (c === undefined) return twoFields(a, b, refuse);
  if (d === undefined) return threeFields(a, b, c, refuse);
  if (fields.length > 4) {
    throw refuse(
      'there are too many colons; an IPv6 address is written in brackets, as in [::1]:8080:localhost:80',
    );
  }
  return { listen: toListen(b, a, refuse), connect: toEndpoint([c, d], refuse) };
}

function refuseTrailingColon(text: string, fields: readonly Field[], refuse: Refuse): void {
  const last = fields.at(-1);
  if (last?.kind !== 'word' || last.text !== '') return;
  const before = text.slice(0, -1);
  throw refuse(
    isLocalPort(fields[0]) && fields.length === 2
      ? `a port or socket is missing after the colon; write ${before} or ${before}:localhost:3000`
      : 'a port or socket is missing after the last colon',
  );
}

function oneField(only: Field, refuse: Refuse): Sides {
  if (only.kind === 'word' && only.text === 'auto') {
    throw refuse('say what to connect to; write auto:3000 or auto:/srv/app/app.sock');
  }
  if (only.kind === 'word' && /^0+$/.test(only.text)) {
    throw refuse('0 is not a port; for a free local port write auto in front, as in auto:3000');
  }
  const connect = toEndpoint([only], refuse);
  return { listen: { kind: 'tcp', port: connect.kind === 'tcp' ? connect.port : 'auto' }, connect };
}

function twoFields(a: Field, b: Field, refuse: Refuse): Sides {
  if (a.kind === 'path') return { listen: toLocalSocket(a, refuse), connect: toEndpoint([b], refuse) };
  if (isLocalPort(a)) return { listen: toListen(a, undefined, refuse), connect: toEndpoint([b], refuse) };
  if (b.kind === 'path') {
    throw refuse(
      a.text === '' ? 'a local port is missing before the colon' : `${quoted(a.text)} is not a local port`,
    );
  }
  if (isWildcard(a)) {
    const everywhere = `*:${b.text}:localhost:${b.text}`;
    throw refuse(
      a.text === ''
        ? `nothing is before the colon; write ${b.text}, or ${everywhere} to listen on every interface`
        : `say what to connect to; write ${everywhere}`,
    );
  }
  const connect = toEndpoint([a, b], refuse);
  return { listen: { kind: 'tcp', port: toPort(b, refuse) }, connect };
}

function threeFields(a: Field, b: Field, c: Field, refuse: Refuse): Sides {
  if (a.kind === 'path') return { listen: toLocalSocket(a, refuse), connect: toEndpoint([b, c], refuse) };
  if (c.kind === 'path') return { listen: toListen(b, a, refuse), connect: toEndpoint([c], refuse) };
  if (isLocalPort(a)) return { listen: toListen(a, undefined, refuse), connect: toEndpoint([b, c], refuse) };
  if (isLocalPort(b)) {
    const bind = a.kind === 'bracketed' ? `[${a.text}]` : a.text;
    throw refuse(`after a bind address the host must be written too: ${bind}:${b.text}:localhost:${c.text}`);
  }
  throw refuse(
    `${quoted(a.text)} is not a local port; write PORT:HOST:PORT, with an IPv6 address in brackets`,
  );
}

/** Whether it can only have been meant as a port; `toPort` refuses what is wrong with it. */
function isLocalPort(field: Field | undefined): boolean {
  return field?.kind === 'word' && /^(?:[+-]?\d+|auto)$/.test(field.text);
}

/** ssh's own meaning of an empty bind address is every interface. */
function isWildcard({ text, kind }: Field): boolean {
  return kind === 'word' && (text === '' || text === '*');
}

function toListen(port: Field, bind: Field | undefined, refuse: Refuse): Listen {
  const number =
    port.kind === 'word' && port.text === 'auto' ? 'auto' : toPort(port, refuse, 'for a free one write auto');
  if (bind === undefined) return { kind: 'tcp', port: number };
  const host = isWildcard(bind) ? '*' : toHost(bind, refuse);
  return { kind: 'tcp', host: host.toLowerCase() === 'localhost' ? 'localhost' : host, port: number };
}

function toLocalSocket(field: Field, refuse: Refuse): UnixEndpoint {
  return { kind: 'unix', path: toSocketPath(field, refuse) };
}
