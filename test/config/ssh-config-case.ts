import type { HostSettings } from '../../src/config/settings.ts';

/** A configuration and what it means; the sources of settings have to agree on it. */
export interface Case {
  readonly name: string;
  /** `DIR` stands for a directory that is made for the case. */
  readonly config: string;
  /** Further files in `DIR`. */
  readonly files?: Readonly<Record<string, string>>;
  /** The host that is asked about; `vps` if absent. */
  readonly host?: string;
  readonly expect: Partial<HostSettings>;
  readonly absent?: readonly (keyof HostSettings)[];
  /** Options that have no field of their own. */
  readonly options?: Readonly<Record<string, readonly string[]>>;
}

/** The identity files that a person has named. */
export function explicit(...paths: string[]): Partial<HostSettings> {
  return {
    identityFiles: paths.map((path) => ({ path, explicit: true })),
  };
}
