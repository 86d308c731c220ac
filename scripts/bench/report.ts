import type { Measured, Scenario } from './scenarios.ts';
import { median } from './statistics.ts';

/** The runs of one scenario: each holds what was measured of each contender, one after the other. */
export interface Result {
  readonly scenario: Scenario;
  readonly runs: readonly Readonly<Record<string, Measured>>[];
}

interface Row {
  readonly scenario: string;
  readonly measure: string;
  readonly better: 'more' | 'less';
  /** The median, the least and the most. */
  readonly contenders: Readonly<Record<string, readonly [number, number, number]>>;
  /** Of the first contender to each other one, in the same run: the median, the least and the most. */
  readonly ratios: Readonly<Record<string, readonly [number, number, number]>>;
  /** What is to be reached, and whether it is. */
  readonly targets: readonly { readonly what: string; readonly reached: boolean }[];
}

export function rows({ scenario, runs }: Result): Row[] {
  const [first = '', ...others] = scenario.contenders;
  const measures = Object.keys(runs[0]?.[first] ?? {});
  return measures.map((measure) => {
    const values = (contender: string): number[] =>
      runs.map((run) => run[contender]?.[measure] ?? Number.NaN);
    const ratios = Object.fromEntries(
      others.map((other) => [
        other,
        spread(values(first).map((value, run) => value / (values(other)[run] ?? 0))),
      ]),
    );
    const targets = Object.entries(scenario.targets?.[measure] ?? {}).map(([other, target]) => ({
      what: `${other} ${sign(scenario)} ${target}`,
      reached: isReached(scenario, ratios[other]?.[0] ?? Number.NaN, target),
    }));
    const limit = scenario.limits?.[measure];
    if (limit !== undefined) {
      targets.push({
        what: `${sign(scenario)} ${limit}`,
        reached: isReached(scenario, median(values(first)), limit),
      });
    }
    return {
      scenario: scenario.name,
      measure,
      better: scenario.better,
      contenders: Object.fromEntries(scenario.contenders.map((name) => [name, spread(values(name))])),
      ratios,
      targets,
    };
  });
}

/** A table for a terminal. */
export function table(all: readonly Row[]): string {
  const lines = all.map((row) => [
    row.scenario,
    row.measure,
    Object.entries(row.contenders)
      .map(([name, [middle]]) => `${name} ${figure(middle)}`)
      .join(', '),
    Object.entries(row.ratios)
      .map(
        ([name, [middle, least, most]]) =>
          `${middle.toFixed(2)} (${least.toFixed(2)}…${most.toFixed(2)}) of ${name}`,
      )
      .join(', '),
    row.targets.map(({ what, reached }) => `${reached ? '✔' : '✖'} ${what}`).join(', '),
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function spread(values: readonly number[]): [number, number, number] {
  return [median(values), Math.min(...values), Math.max(...values)];
}

function sign({ better }: Scenario): string {
  return better === 'more' ? '≥' : '≤';
}

function isReached({ better }: Scenario, value: number, target: number): boolean {
  return better === 'more' ? value >= target : value <= target;
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
