import { type Field, valuesOf, without } from './header-fields.ts';
import type { HeaderOps } from './rule.ts';

/** The fields after Caddy's `header`, `header_up` or `header_down`; `expand` fills in placeholders. */
export function applyHeaderOps(
  fields: readonly Field[],
  ops: HeaderOps,
  expand: (text: string) => string,
): Field[] {
  let result = [...fields];
  const value = (text: string): string => oneLine(expand(text));
  for (const [name, text] of ops.add ?? []) result.push([name, value(text)]);
  for (const [name, text] of ops.set ?? []) {
    result = without(result, (other) => other === name.toLowerCase());
    result.push([name, value(text)]);
  }
  for (const name of ops.remove ?? []) result = without(result, removes(name.toLowerCase()));
  for (const { name, search, by } of ops.replace ?? []) {
    result = result.map(([other, text]) =>
      name === '*' || other.toLowerCase() === name.toLowerCase()
        ? [other, oneLine(text.replace(search, expand(by)))]
        : [other, text],
    );
  }
  for (const [name, text] of ops.fallback ?? []) {
    if (valuesOf(result, name.toLowerCase()).length === 0) result.push([name, value(text)]);
  }
  return result;
}

/** A star at either end stands for any letters. */
function removes(pattern: string): (name: string) => boolean {
  const inside = pattern.replace(/^\*|\*$/g, '');
  if (pattern.startsWith('*') && pattern.endsWith('*')) return (name) => name.includes(inside);
  if (pattern.endsWith('*')) return (name) => name.startsWith(inside);
  if (pattern.startsWith('*')) return (name) => name.endsWith(inside);
  return (name) => name === pattern;
}

/** What came out of a request must not begin another field, nor be refused by node:http. */
function oneLine(text: string): string {
  return text.replace(/[^\t\x20-\x7E\x80-\xFF]/g, '');
}
