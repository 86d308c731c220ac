import type { RawOptions } from '../settings.ts';

/** What ssh or our own reader makes of the configuration for one host. */
export interface ResolvedOptions {
  readonly options: RawOptions;
  /** What they would be with an empty configuration. */
  readonly defaults: RawOptions;
  /** Lines that were skipped with a complaint, as ssh does. */
  readonly warnings: readonly string[];
}
