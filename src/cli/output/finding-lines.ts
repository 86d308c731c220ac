import type { Finding } from '../../session/doctor/finding.ts';
import { printable } from '../../printable.ts';
import { marks } from './marks.ts';
import type { Paint } from './screen.ts';

const MARKS = {
  ok: ['green', marks.done],
  warning: ['yellow', marks.doubtful],
  failed: ['red', marks.failed],
  skipped: ['dim', marks.skipped],
} as const;

/** `✔ what was found  (12 ms)`, and what to do below it. */
export function findingLines({ verdict, what, hint, ms }: Finding, paint: Paint): string[] {
  const [colour, mark] = MARKS[verdict];
  const time = ms < 1 ? '' : `  ${paint('dim', `(${Math.round(ms)} ms)`)}`;
  return [`${paint(colour, mark)} ${printable(what)}${time}`, ...hint.map((line) => `  ${printable(line)}`)];
}
