import { closest } from '../../closest.ts';
import { quoted } from '../../endpoint.ts';
import { UsageError } from '../../errors.ts';

/** What a value in one of our JSON files may be: the validator and the schema for editors are both made from it. */
export type Shape = Described &
  (
    | { readonly kind: 'text'; readonly check?: (text: string) => void }
    | { readonly kind: 'number'; readonly least: number; readonly most: number }
    | { readonly kind: 'boolean' }
    | { readonly kind: 'choice'; readonly of: readonly string[] }
    | { readonly kind: 'constant'; readonly value: number }
    | { readonly kind: 'list'; readonly of: Shape; readonly least?: number }
    | { readonly kind: 'either'; readonly of: readonly Shape[] }
    | ObjectShape
    | { readonly kind: 'map'; readonly of: Shape; readonly checkName: (name: string) => void }
  );

export interface ObjectShape extends Described {
  readonly kind: 'object';
  readonly keys: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  /** What the keys have to do with each other. */
  readonly check?: (value: Readonly<Record<string, unknown>>) => void;
}

interface Described {
  readonly about?: string;
}

/** Where a value is: the file, and the keys that lead to it. */
export interface Spot {
  readonly file: string;
  readonly path: readonly (string | number)[];
}

/** Throws a `UsageError` (`bad-config`) that names the file and the key of the first thing that is not as it should be. */
export function check(shape: Shape, value: unknown, spot: Spot): void {
  switch (shape.kind) {
    case 'object':
      return checkObject(shape, asObject(value, spot), spot);
    case 'map':
      for (const [name, entry] of Object.entries(asObject(value, spot))) {
        const inner = below(spot, name);
        attempt(() => shape.checkName(name), inner);
        check(shape.of, entry, inner);
      }
      return;
    case 'list':
      return checkList(shape, value, spot);
    case 'either': {
      const fitting = shape.of.find((one) => isOfKind(one, value));
      if (fitting === undefined) throw wrongKind(shape, value, spot);
      return check(fitting, value, spot);
    }
    case 'text':
      if (typeof value !== 'string') throw wrongKind(shape, value, spot);
      if (value === '') throw refuse(spot, 'is empty');
      return attempt(() => shape.check?.(value), spot);
    case 'number':
      if (typeof value !== 'number') throw wrongKind(shape, value, spot);
      if (Number.isInteger(value) && value >= shape.least && value <= shape.most) return;
      throw refuse(spot, `is not a whole number from ${shape.least} to ${shape.most}`);
    case 'choice':
      return checkChoice(shape.of, value, spot);
    case 'constant':
      if (value !== shape.value) throw refuse(spot, `is not ${shape.value}`);
      return;
    case 'boolean':
      if (typeof value !== 'boolean') throw wrongKind(shape, value, spot);
  }
}

function checkObject(shape: ObjectShape, value: Readonly<Record<string, unknown>>, spot: Spot): void {
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(shape.keys, key)) continue;
    const known = Object.keys(shape.keys);
    const similar = closest(key, known);
    throw refuse(
      below(spot, key),
      'is not known',
      similar === undefined ? `Known are: ${known.join(', ')}` : `Did you mean ${similar}?`,
    );
  }
  for (const key of shape.required ?? []) {
    if (!Object.hasOwn(value, key)) throw refuse(below(spot, key), 'is missing');
  }
  for (const [key, inner] of Object.entries(shape.keys)) {
    if (Object.hasOwn(value, key)) check(inner, value[key], below(spot, key));
  }
  attempt(() => shape.check?.(value), spot);
}

function checkList(shape: Shape & { kind: 'list' }, value: unknown, spot: Spot): void {
  if (!Array.isArray(value)) throw wrongKind(shape, value, spot);
  if (value.length < (shape.least ?? 0)) throw refuse(spot, 'is empty');
  for (const [index, entry] of value.entries()) check(shape.of, entry, below(spot, index));
}

function checkChoice(choices: readonly string[], value: unknown, spot: Spot): void {
  if (typeof value === 'string' && choices.includes(value)) return;
  const similar = typeof value === 'string' ? closest(value, choices) : undefined;
  throw refuse(
    spot,
    `is not one of: ${choices.join(', ')}`,
    ...(similar === undefined ? [] : [`Did you mean ${similar}?`]),
  );
}

function asObject(value: unknown, spot: Spot): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw wrongKind({ kind: 'map', of: { kind: 'boolean' }, checkName() {} }, value, spot);
}

/** What others find wrong with a value, with its key in front. */
function attempt(judge: () => void, spot: Spot): void {
  try {
    judge();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError('bad-config', `${place(spot)}: ${error.message}`, {
      hint: error.hint,
      cause: error,
    });
  }
}

function isOfKind(shape: Shape, value: unknown): boolean {
  return Array.isArray(value) ? shape.kind === 'list' : typeof value === NAMES[shape.kind]?.type;
}

const NAMES: Readonly<Partial<Record<Shape['kind'], { type: string; title: string }>>> = {
  text: { type: 'string', title: 'text in quotes' },
  choice: { type: 'string', title: 'text in quotes' },
  number: { type: 'number', title: 'a number' },
  constant: { type: 'number', title: 'a number' },
  boolean: { type: 'boolean', title: 'true or false' },
  list: { type: 'array', title: 'a list in [ ]' },
  object: { type: 'object', title: 'an object in { }' },
  map: { type: 'object', title: 'an object in { }' },
};

function titleOf(shape: Shape): string {
  if (shape.kind === 'either') return shape.of.map(titleOf).join(' or ');
  return NAMES[shape.kind]?.title ?? '';
}

function wrongKind(shape: Shape, value: unknown, spot: Spot): UsageError {
  return refuse(spot, `is ${kindOf(value)}, not ${titleOf(shape)}`);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  const type = Array.isArray(value) ? 'array' : typeof value;
  return Object.values(NAMES).find((name) => name.type === type)?.title ?? type;
}

function refuse(spot: Spot, problem: string, ...hint: string[]): UsageError {
  return new UsageError('bad-config', `${place(spot)} ${problem}`, { hint });
}

function below({ file, path }: Spot, key: string | number): Spot {
  return { file, path: [...path, key] };
}

/** `~/x.json: profiles.vps.forwards[1]` */
function place({ file, path }: Spot): string {
  const keys = path.map((key) => {
    if (typeof key === 'number') return `[${key}]`;
    return /^[\p{L}\p{N}_$-]+$/u.test(key) ? `.${key}` : `[${quoted(key)}]`;
  });
  return [file, ...(path.length === 0 ? [] : [keys.join('').replace(/^\./, '')])].join(': ');
}
