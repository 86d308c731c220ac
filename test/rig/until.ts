import { setTimeout as sleep } from 'node:timers/promises';

/** Looks again and again until it is so; throws `what` after `timeoutMs` (30 s). */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  { timeoutMs = 30_000, everyMs = 20 } = {},
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`After ${timeoutMs} ms it is still not so: ${what}`);
    await sleep(everyMs);
  }
}
