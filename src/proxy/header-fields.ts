/** Names and values in turn, as node:http gives and takes them: in their order, and in the case they were sent in. */
export type RawFields = readonly string[];

export type Field = readonly [name: string, value: string];

/** Of one connection and not of the message (RFC 9110, section 7.6.1). */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** How long the message is, and where it goes: naming these in Connection must not remove them. */
const framing = new Set(['content-length', 'host']);

export function toFields(raw: RawFields): Field[] {
  const fields: Field[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2)
    fields.push([raw[index] ?? '', raw[index + 1] ?? '']);
  return fields;
}

/** Without what concerns this connection alone, and what the Connection field names besides. */
export function endToEnd(fields: readonly Field[]): Field[] {
  const named = new Set(
    fields
      .filter(([name]) => name.toLowerCase() === 'connection')
      .flatMap(([, value]) => value.toLowerCase().split(','))
      .map((token) => token.trim())
      .filter((token) => !framing.has(token)),
  );
  return fields.filter(([name]) => {
    const key = name.toLowerCase();
    return !hopByHop.has(key) && !named.has(key);
  });
}

export function without(fields: readonly Field[], remove: (name: string) => boolean): Field[] {
  return fields.filter(([name]) => !remove(name.toLowerCase()));
}

export function valuesOf(fields: readonly Field[], wanted: string): string[] {
  return fields.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
}

/** As node:http wants them in an object: fields of one name are one list, where the first of them stood. */
export function toObject(fields: readonly Field[]): Record<string, string | string[]> {
  const lists = new Map<string, { readonly name: string; readonly values: string[] }>();
  for (const [name, value] of fields) {
    const list = lists.get(name.toLowerCase());
    if (list === undefined) lists.set(name.toLowerCase(), { name, values: [value] });
    else list.values.push(value);
  }
  return Object.fromEntries(
    [...lists.values()].map(({ name, values }) => [name, values.length === 1 ? (values[0] ?? '') : values]),
  );
}
