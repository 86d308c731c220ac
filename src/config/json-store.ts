import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { systemCode, TunnelError, UsageError } from '../errors.ts';
import { withLock } from './lock.ts';
import { jsonSchema } from './profiles/json-schema.ts';
import { check, type ObjectShape } from './profiles/shape.ts';

/** Makes the contents of one version of a file those of the next; the first is from 0, which has no `version`. */
export type Migration = (contents: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;

export interface StoreOptions<T> {
  readonly path: string;
  readonly shape: ObjectShape;
  /** Its name, for editors; the schema is kept beside the file. */
  readonly schema: string;
  readonly migrations: readonly Migration[];
  readonly empty: T;
  /** Is told what was found damaged, and where it is now. */
  readonly warn: (message: string) => void;
}

/**
 * A JSON file of ours that people edit, too: private, written in one piece (conf), and changed by one process at a time.
 * What is no JSON at all is moved aside, and never overwritten; what is JSON and wrong is left to its author.
 */
export class JsonStore<T extends object> {
  readonly #options: StoreOptions<T>;

  constructor(options: StoreOptions<T>) {
    this.#options = options;
  }

  /** Throws a `UsageError` that names the key of what is wrong. */
  async read(): Promise<T> {
    return this.#parse() ?? (await this.#locked(async () => this.#parse() ?? this.#moveAside()));
  }

  /** Throws a `UsageError`, also for a change that would be wrong; then nothing is changed. */
  async update(change: (contents: T) => T): Promise<void> {
    await this.#locked(async () => {
      const { shape, path } = this.#options;
      const changed = { $schema: this.#schemaName, ...change(this.#parse() ?? this.#moveAside()) };
      check(shape, changed, { file: path, path: [] });
      await this.#write(changed);
    });
  }

  get #schemaName(): string {
    return `./${this.#options.schema}.schema.json`;
  }

  async #locked<R>(work: () => Promise<R>): Promise<R> {
    const { path } = this.#options;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      return await withLock(`${path}.lock`, work);
    } catch (error) {
      // A disk that is full or may not be written to is no mistake of ours.
      if (error instanceof TunnelError || systemCode(error) === undefined) throw error;
      throw unusable(path, 'changed', error);
    }
  }

  /** Undefined for what is no JSON. */
  #parse(): T | undefined {
    const { path, shape, migrations, empty } = this.#options;
    let text: string;
    try {
      refuseForeign(path);
      text = readFileSync(path, 'utf8');
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return empty;
      throw error instanceof UsageError ? error : unusable(path, 'read', error);
    }
    let contents: unknown;
    try {
      contents = JSON.parse(text);
    } catch {
      return undefined;
    }
    const current = migrated(contents, migrations, path);
    check(shape, current, { file: path, path: [] });
    return current as T;
  }

  #moveAside(): T {
    const { path, empty, warn } = this.#options;
    const aside = `${path}.damaged-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
    renameSync(path, aside);
    warn(`${path} is damaged: it is no JSON.\nIt was moved to ${aside}`);
    return empty;
  }

  async #write(contents: object): Promise<void> {
    const { path, shape, schema } = this.#options;
    const { default: Conf } = await import('conf');
    // conf's own migrations go by the version of the program, and cannot tell a file of a later one; its schemas do not
    // say what would be right. Both are done here.
    const conf = new Conf({
      cwd: dirname(path),
      configName: basename(path, '.json'),
      configFileMode: 0o600,
      accessPropertiesByDotNotation: false,
      serialize: (value) => `${JSON.stringify(value, undefined, 2)}\n`,
    });
    conf.store = contents as Record<string, unknown>;
    const text = `${JSON.stringify(jsonSchema(shape, schema), undefined, 2)}\n`;
    const file = join(dirname(path), this.#schemaName);
    if (readIfThere(file) === text) return;
    writeFileSync(`${file}.${process.pid}`, text);
    renameSync(`${file}.${process.pid}`, file);
    rmSync(`${file}.${process.pid}`, { force: true });
  }
}

function migrated(contents: unknown, migrations: readonly Migration[], path: string): unknown {
  if (typeof contents !== 'object' || contents === null || Array.isArray(contents)) return contents;
  const { version = 0 } = contents as { version?: unknown };
  // Whatever else it is, the shape refuses.
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 0) return contents;
  if (version > migrations.length) {
    throw new UsageError('newer-config', `${path} was written by a later version of tunnel (${version})`, {
      hint: ['Install the current version of tunnel, or move the file away.'],
    });
  }
  return migrations
    .slice(version)
    .reduce((older, migrate) => migrate(older), contents as Readonly<Record<string, unknown>>);
}

/** Whoever may write there could have a command run with a ProxyCommand, as with ssh's own configuration. */
function refuseForeign(path: string): void {
  const us = process.getuid?.();
  const found = statSync(path);
  if (us === undefined) return;
  const isOurs = found.uid === us || found.uid === 0;
  if (isOurs && (found.mode & 0o022) === 0) return;
  const why = isOurs ? 'others may write to it' : `it belongs to user ${found.uid}, and this is user ${us}`;
  throw new UsageError('unsafe-config', `${path} cannot be used: ${why}`, {
    hint: [isOurs ? `Put it right: chmod 600 ${path}` : 'Put it right, or move it away.'],
  });
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function unusable(path: string, what: 'read' | 'changed', cause: unknown): UsageError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new UsageError('unusable-config', `${path} cannot be ${what}: ${why}`, {
    hint: ['Another directory for it can be chosen with TUNNEL_CONFIG_DIR.'],
    cause,
  });
}
