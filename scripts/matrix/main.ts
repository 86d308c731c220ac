// `npm run matrix [-- --quick] [--node VERSION]…`: the packed package under every Node.js that it is for, in every place
// (places.ts), where each does its checks (checks.ts). `--quick` takes the present Node.js alone, `--node` those named.
import { parseArgs } from 'node:util';
import { Rig } from '../../test/rig/rig.ts';
import { makeTempDir } from '../../test/rig/temp-dir.ts';
import { checks } from './checks.ts';
import { pack } from './install.ts';
import { findNode, presentNode, type Node } from './nodes.ts';
import { furnish, type Place } from './places.ts';
import { startRemote, type Remote } from './remote.ts';
import { table, type Row } from './table.ts';

/** Each as npm knows it; what has begun is the newest of its line. */
const WANTED = ['20.20', '22', '24', '26'];

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    node: { type: 'string', multiple: true, default: WANTED },
  },
});
// Other users may enter it: they, too, run what is in there.
const downloads = makeTempDir();
try {
  await run();
} finally {
  downloads.remove();
}

async function run(): Promise<void> {
  const nodes = values.quick
    ? [presentNode()]
    : await Promise.all(values.node.map((version) => findNode(version, downloads.path)));
  const archive = await pack(downloads.path);
  const rows = new Map<string, Row>();
  for (const node of nodes) {
    for (const [place, failures] of await tryNode(node, archive)) {
      const row = rows.get(place) ?? { name: place, cells: [] };
      row.cells.push(failures);
      rows.set(place, row);
    }
  }
  console.log(
    `\n${table(
      nodes.map(({ version }) => `Node.js ${version}`),
      [...rows.values()],
      checks.length,
    )}`,
  );
  if ([...rows.values()].some(({ cells }) => cells.some((failures) => failures.length > 0)))
    process.exitCode = 1;
}

/** A rig a Node.js, so that none finds what another has left. Gives the checks that failed, by place. */
async function tryNode(node: Node, archive: string): Promise<Map<string, string[]>> {
  const rig = new Rig();
  try {
    const remote = await startRemote(rig);
    const failures = new Map<string, string[]>();
    for (const place of await furnish(rig, remote, node, archive)) {
      failures.set(place.name, await tryPlace(place, remote));
    }
    return failures;
  } finally {
    await rig.stop();
  }
}

async function tryPlace(place: Place, remote: Remote): Promise<string[]> {
  const failed: string[] = [];
  for (const [name, check] of checks) {
    try {
      await check(place, remote);
    } catch (error) {
      console.error(`✖ Node.js ${place.node.version}, ${place.name}: ${name}\n${String(error)}`);
      failed.push(name);
    }
  }
  if (failed.length === 0) console.log(`✔ Node.js ${place.node.version}, ${place.name}`);
  return failed;
}
