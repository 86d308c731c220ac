import type { RawOptions } from '../settings.ts';
import { configError } from './config-error.ts';
import { DEFAULT_OPTIONS } from './defaults.ts';
import { parseSeconds } from './quantities.ts';

/** Reads options in every form in which releases of ssh print them (`yes` and `true`, `600` and `10m`). */
export class OptionValues {
  readonly #options: RawOptions;
  readonly #defaults: RawOptions;

  constructor(options: RawOptions, defaults: RawOptions) {
    this.#options = options;
    this.#defaults = defaults;
  }

  all(name: string): readonly string[] {
    return this.#options.get(name) ?? DEFAULT_OPTIONS.get(name) ?? [];
  }

  /** Undefined where it is not set and has no default, or is "none". */
  optional(name: string): string | undefined {
    return this.all(name)[0];
  }

  text(name: string): string {
    return this.optional(name) ?? '';
  }

  flag(name: string): boolean {
    return !['no', 'false'].includes(this.text(name).toLowerCase());
  }

  integer(name: string): number {
    const text = this.text(name);
    if (!/^\d+$/.test(text))
      throw configError({ file: 'ssh_config', key: name }, `${JSON.stringify(text)} is not a number`);
    return Number(text);
  }

  /** Undefined for "none". */
  seconds(name: string): number | undefined {
    return parseSeconds(this.text(name));
  }

  oneOf<Word extends string>(name: string, words: readonly [Word, ...Word[]]): Word {
    const text = this.text(name).toLowerCase();
    return words.find((word) => word === text) ?? words[0];
  }

  /** A comma-separated list; undefined where it is ssh's own default. */
  changedList(name: string): readonly string[] | undefined {
    return this.isChanged(name) ? this.text(name).split(',') : undefined;
  }

  /** Whether the configuration says something other than ssh's own default. */
  isChanged(name: string): boolean {
    const values = this.#options.get(name);
    const before = this.#defaults.get(name) ?? [];
    return (
      values !== undefined &&
      (values.length !== before.length || values.some((value, i) => value !== before[i]))
    );
  }

  changedNames(): ReadonlySet<string> {
    return new Set([...this.#options.keys()].filter((name) => this.isChanged(name)));
  }
}
