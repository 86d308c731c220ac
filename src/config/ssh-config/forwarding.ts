import { expandVariables } from '../tokens.ts';
import type { ConfigLine } from './config-line.ts';

export type Direction = 'local' | 'remote' | 'dynamic';

/** The value of a `LocalForward`, `RemoteForward` or `DynamicForward` line, as `ssh -G` prints it. */
export function formatForwarding(direction: Direction, line: ConfigLine, env: NodeJS.ProcessEnv): string {
  const [listen, connect, ...more] = line.words;
  if (more.length > 0 || (direction === 'dynamic' && connect !== undefined))
    throw line.refuse('it has too many words');
  if (direction === 'local' && connect === undefined)
    throw line.refuse('it does not say where to connect to');
  // Before it is taken apart: a variable may hold a path (readconf.c, parse_forward).
  const text = expandVariables(line.words.join(':'), env, (problem) => line.refuse(problem));
  const fields = splitFields(text) ?? [];
  const target = connect === undefined ? [] : fields.splice(isPath(fields.at(-1)) ? -1 : -2);
  const from = formatEnd(fields, direction === 'remote' ? 0 : 1, isPath(fields[0]) || fields.length === 1);
  if (from === undefined) throw line.refuse(`${JSON.stringify(listen)} is not [address:]port or a path`);
  if (direction === 'dynamic') return from;
  // Without a target the server's end speaks SOCKS, and ssh prints it like this.
  if (connect === undefined) return `${from} [socks]:0`;
  const to = formatEnd(target, 1, isPath(target[0]));
  if (to === undefined) throw line.refuse(`${JSON.stringify(connect)} is not host:port or a path`);
  return `${from} ${to}`;
}

/** Fields between colons. Brackets keep the colons of an address, a backslash keeps any character. */
function splitFields(text: string): string[] | undefined {
  const fields: string[] = [];
  for (let rest = text; rest !== '';) {
    const [whole, bracketed, plain = ''] =
      /^(?:\[([^\]]*)\]|(?!\[)((?:\\.|[^:\\])*))(?::|$)/s.exec(rest) ?? [];
    if (whole === undefined) return undefined;
    fields.push(bracketed ?? plain.replace(/\\(.)/gs, '$1'));
    rest = rest.slice(whole.length);
  }
  return fields;
}

function formatEnd(fields: readonly string[], lowestPort: number, isAlone: boolean): string | undefined {
  if (fields.length !== (isAlone ? 1 : 2)) return undefined;
  const last = fields.at(-1) ?? '';
  if (isPath(last)) return isAlone ? last : undefined;
  const port = /^\d{1,5}$/.test(last) ? Number(last) : -1;
  if (port < lowestPort || port > 65_535) return undefined;
  return isAlone ? String(port) : `[${fields[0]}]:${port}`;
}

function isPath(field: string | undefined): boolean {
  return field?.includes('/') ?? false;
}
