import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const exec = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

/** A mutant may make something wait for ever. */
const LIMIT_MS = 60_000;
const NOT_COPIED = ['.git', 'dist', 'node_modules'];

/** A copy of the repository, as it is in the working tree. */
export class Tree {
  readonly #dir = mkdtempSync(join(tmpdir(), 'tunnel-mutants-'));

  constructor() {
    // With their times: packages that are older than the lock file would be installed anew.
    cpSync(root, this.#dir, {
      recursive: true,
      preserveTimestamps: true,
      filter: (path) => !NOT_COPIED.some((name) => path === join(root, name)),
    });
    symlinkSync(join(root, 'node_modules'), join(this.#dir, 'node_modules'));
  }

  read(file: string): string {
    return readFileSync(join(this.#dir, file), 'utf8');
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.#dir, file), text);
  }

  /** Builds, and runs test files, of which only what is named `only`; resolves with the names of what failed. */
  async failedTests(files: readonly string[], only?: string): Promise<readonly string[]> {
    await this.#node('scripts/build.js', '--no-types');
    const options = [
      '--import=tsx',
      '--test',
      '--test-reporter=tap',
      `--test-timeout=${LIMIT_MS}`,
      ...(only === undefined ? [] : [`--test-name-pattern=${only}`]),
    ];
    const { failed, output } = await this.#node(...options, '--test-concurrency=2', ...files);
    if (!failed) return [];
    return [...output.matchAll(/^not ok \d+ - (.*)$/gm)].map(([, name = '']) => name);
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true });
  }

  async #node(...args: string[]): Promise<{ failed: boolean; output: string }> {
    const options = { cwd: this.#dir, maxBuffer: 2 ** 28 };
    return await exec(process.execPath, args, options).then(
      ({ stdout }) => ({ failed: false, output: stdout }),
      ({ stdout }: { stdout: string }) => ({ failed: true, output: stdout }),
    );
  }
}
