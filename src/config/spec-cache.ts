import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePrivateDirectory, stateDirectory } from './directories.ts';

/** What completion offers after a host: `8081`, `~/app/app.sock`. */
interface SpecCache {
  readonly version: 1;
  /** ISO 8601. */
  readonly time: string;
  readonly specs: readonly string[];
}

/** More than anybody chooses from. */
const MOST_SPECS = 200;
/** No file of ours is longer; one that is was not written by us. */
const LONGEST = 256 * 1024;

/** Where the specs of a session are kept; `name` is what `sessionName` gives. */
export function specCachePath(name: string): string {
  return join(stateDirectory(), 'scan', `${encodeURIComponent(name)}.json`);
}

/** The specs that were last seen or opened there. Empty where nothing is known, or the file cannot be used. */
export function knownSpecs(name: string): readonly string[] {
  try {
    const path = specCachePath(name);
    if (statSync(path).size > LONGEST) return [];
    const { version, specs } = JSON.parse(readFileSync(path, 'utf8')) as Partial<SpecCache>;
    if (version !== 1 || !Array.isArray(specs)) return [];
    return specs.filter((spec) => typeof spec === 'string');
  } catch {
    return [];
  }
}

/** Keeps what a scan has found, instead of what was known. Never throws: nothing depends on it. */
export function keepSpecs(name: string, specs: readonly string[]): void {
  try {
    const path = specCachePath(name);
    makePrivateDirectory(stateDirectory());
    mkdirSync(join(stateDirectory(), 'scan'), { recursive: true, mode: 0o700 });
    const cache: SpecCache = {
      version: 1,
      time: new Date().toISOString(),
      specs: [...new Set(specs)].slice(0, MOST_SPECS),
    };
    const temporary = `${path}.${process.pid}`;
    try {
      writeFileSync(temporary, `${JSON.stringify(cache)}\n`, { mode: 0o600 });
      renameSync(temporary, path);
    } finally {
      rmSync(temporary, { force: true });
    }
  } catch {
    // A read-only home, a full disk, a name longer than a file's may be.
  }
}

/** Adds what was opened to what is known, in front. Never throws. */
export function rememberSpecs(name: string, specs: readonly string[]): void {
  const known = knownSpecs(name);
  if (specs.every((spec, index) => known[index] === spec)) return;
  keepSpecs(name, [...specs, ...known]);
}
