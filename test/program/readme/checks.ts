import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { World } from './world.ts';

/** Types the line, and throws unless it does what the README says beside it. */
export type Check = (world: World, line: string) => Promise<void>;

/** A line of the README with its check. What one leaves open is there for the next. */
export type Row = readonly [line: string, check: Check];

type Page = readonly [url: string, page: RegExp, ...curlFlags: string[]];

export const WEB: Page = ['http://localhost:8081/', /<title>Visits/];
export const API: Page = ['http://localhost:3000/hello', /"hello":"flask"/];
export const FIVE_THOUSAND: Page = ['http://localhost:5000/hello', /five thousand/];
export const DATABASE: Page = ['http://localhost:5432/', /from the database/];

/** A line that stays: the URLs answer, and Ctrl-C ends it. */
export function opens(...pages: readonly Page[]): Check {
  return stays(async (world) => {
    for (const page of pages) await world.answers(...page);
  });
}

/** A line that stays until Ctrl-C. */
export function stays(during: (world: World, screen: () => string) => Promise<void>): Check {
  return async (world, line) => {
    const terminal = await world.type(line);
    try {
      await terminal.waitFor(/→ .*\n/);
      await during(world, () => terminal.screen);
      terminal.write('\x03');
      const { status } = await terminal.exit;
      assert.equal(status, 130, terminal.screen);
    } finally {
      // Or it would be in the way of each line that comes.
      await terminal.stop();
    }
  };
}

/** A line that ends with 0, has shown this, and after which this is so. */
export function ends(shown: RegExp, after: (world: World) => Promise<void> = async () => {}): Check {
  return async (world, line) => {
    const terminal = await world.type(line);
    const { status } = await terminal.exit;
    assert.equal(status, 0, terminal.screen);
    assert.match(terminal.screen, shown);
    await after(world);
  };
}

/** A line that `.ci/run` has: it takes a clone of its own. */
export const inCi: Check = async (_world, line) => {
  const ci = readFileSync(fileURLToPath(new URL('../../../.ci/run', import.meta.url)), 'utf8').split('\n');
  assert.ok(
    ci.some((run) => run === line || run.startsWith(`${line} --`)),
    line,
  );
};

/** No session is left. */
export async function nothingIsOpen({ run }: World): Promise<void> {
  assert.equal((await run('tunnel', 'ls', '--json')).stdout.trim(), '[]');
}
