import type { FlagName } from '../flags.ts';
import type { Flags } from '../read-flags.ts';

/** What flags may be given besides the command line, and where that comes from. */
export interface Layer {
  /** As `tunnel explain` names it. */
  readonly source: string;
  readonly values: Values;
}

/** By the flag's name, as the flag takes it; `false` leaves a switch off whatever comes below. */
export type Values = Readonly<Record<string, readonly string[] | boolean>>;

/** A flag that somebody has set, and who. */
export interface Sourced {
  /** Of the flag, or `host`. */
  readonly flag: FlagName | 'host';
  readonly value: string;
  readonly source: string;
}

/** These say together what to open: the first layer that says any of it says all. */
const OPENED: readonly string[] = ['forward', 'remote', 'dynamic', 'route'];

/** Of these, each layer has more; of one option the first value counts, as in ssh_config. */
const ADDED_UP: readonly string[] = ['option'];

/**
 * What is not given on the command line is taken from the layers, the first one first. Flags that the command does not
 * have are left out.
 */
export function withLayers(
  typed: Flags,
  known: readonly FlagName[],
  layers: readonly Layer[],
  opensTyped: boolean,
): { flags: Flags; sources: Sourced[] } {
  const flags: Record<string, unknown> = { ...typed };
  const sources: Sourced[] = known.flatMap((flag) => sourced(flag, typed[flag], 'command line'));
  const settled = new Set<string>(sources.map(({ flag }) => flag));
  let opens = opensTyped;
  for (const { source, values } of layers) {
    const isOpening = OPENED.some((name) => values[name] !== undefined);
    for (const [name, value] of Object.entries(values)) {
      const flag = known.find((known) => known === name);
      if (flag === undefined || (OPENED.includes(name) && opens)) continue;
      if (ADDED_UP.includes(name) && Array.isArray(value)) {
        flags[name] = [...((flags[name] as readonly string[] | undefined) ?? []), ...value];
      } else if (settled.has(name)) continue;
      else if (value !== false) flags[name] = value;
      settled.add(name);
      sources.push(...sourced(flag, value, source));
    }
    opens ||= isOpening;
  }
  return { flags: flags as Flags, sources };
}

/** What is said to whom is no setting. */
const UNSAID: readonly string[] = ['json', 'quiet', 'verbose', 'help', 'version', 'detach'];

function sourced(flag: FlagName, value: unknown, source: string): Sourced[] {
  if (value === undefined || UNSAID.includes(flag)) return [];
  if (Array.isArray(value)) return value.map((one) => ({ flag, value: String(one), source }));
  return typeof value === 'boolean' ? [{ flag, value: value ? 'yes' : 'no', source }] : [];
}
