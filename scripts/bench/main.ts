// `npm run bench [-- --quick] [--list] [--runs N] [SCENARIO…]`: `tunnel` beside `ssh -L`, in one run. A name that ends in
// `*` stands for all that begin like it. Each run takes every contender, one after the other, so that whatever else the
// machine does falls on all of them; ratios are within a run. Writes bench.json.
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Rig } from '../../test/rig/rig.ts';
import { Bench } from './bench.ts';
import { rows, table, type Result } from './report.ts';
import { scenarios, type Measured, type Scenario } from './scenarios.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    runs: { type: 'string' },
  },
});
if (values.list) for (const { name } of scenarios) console.log(name);
else await measureAll(select(positionals));

function select(names: readonly string[]): readonly Scenario[] {
  const isMeant = (wanted: string, name: string): boolean =>
    wanted.endsWith('*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted;
  const unknown = names.find((wanted) => !scenarios.some(({ name }) => isMeant(wanted, name)));
  if (unknown !== undefined) {
    console.error(`✖ No scenario is called ${unknown}; --list shows them`);
    process.exit(2);
  }
  if (names.length === 0) return scenarios.map(asAsked);
  return scenarios.filter(({ name }) => names.some((wanted) => isMeant(wanted, name))).map(asAsked);
}

/** In the short form too little is moved for what is to be reached. */
function asAsked(scenario: Scenario): Scenario {
  return values.quick ? { ...scenario, targets: {}, limits: {} } : scenario;
}

async function measureAll(chosen: readonly Scenario[]): Promise<void> {
  const rig = new Rig();
  try {
    const bench = await Bench.start(rig, values.quick);
    const results: Result[] = [];
    for (const scenario of chosen) {
      const result = await measure(bench, scenario);
      results.push(result);
      console.log(table(rows(result)));
    }
    const all = results.flatMap(rows);
    console.log(`\n${table(all)}`);
    const { version } = process;
    const machine = { node: version, cpu: cpus()[0]?.model, cores: cpus().length };
    writeFileSync(
      'bench.json',
      `${JSON.stringify({ machine, quick: values.quick, results: all }, undefined, 2)}\n`,
    );
  } finally {
    await rig.stop();
  }
}

async function measure(bench: Bench, scenario: Scenario): Promise<Result> {
  const runs: Record<string, Measured>[] = [];
  const count = Number(values.runs ?? (values.quick ? 1 : 3));
  for (let run = 0; run < count; run++) {
    const measured: Record<string, Measured> = {};
    // Whoever comes first in one run comes last in the next.
    const order = run % 2 === 0 ? scenario.contenders : scenario.contenders.toReversed();
    for (const contender of order) measured[contender] = await scenario.measure(bench, contender);
    runs.push(measured);
  }
  return { scenario, runs };
}
