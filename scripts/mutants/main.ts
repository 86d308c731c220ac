// A test that cannot fail shows nothing. Each line of the table is made wrong in a copy of the tree, and its test is run
// there. With words only the mutants are run in whose text one of them is.
import { transformSync } from 'esbuild';
import { Tree } from './tree.ts';
import { mutants, type Mutant } from './table.ts';

type Verdict = 'noticed' | 'lives' | 'text not found once' | 'not even code';

const words = process.argv.slice(2);
const chosen = mutants.filter(
  (mutant) => words.length === 0 || words.some((word) => Object.values(mutant).join('\n').includes(word)),
);
const tree = new Tree();
try {
  await run();
} finally {
  tree.remove();
}

async function run(): Promise<void> {
  const files = [...new Set(chosen.map(({ test }) => test))];
  const failed = await tree.failedTests(files);
  if (failed.length > 0) {
    console.error(`✖ Fails without a mutant: ${failed.join(', ')}`);
    process.exitCode = 1;
    return;
  }
  let troubles = 0;
  for (const mutant of chosen) {
    const start = performance.now();
    const { verdict, by = '' } = await judge(mutant);
    const seconds = ((performance.now() - start) / 1000).toFixed(0).padStart(3);
    const where = `${mutant.file} → ${mutant.test}`;
    console.log(`${verdict === 'noticed' ? '✔' : '✖'} ${seconds} s  ${mutant.loses}\n         ${where}`);
    console.log(`         ${verdict}${by === '' ? '' : ` by: ${by}`}`);
    if (verdict !== 'noticed') troubles += 1;
  }
  if (troubles > 0) process.exitCode = 1;
  console.log(`${chosen.length - troubles} of ${chosen.length} mutants were noticed`);
}

async function judge({
  file,
  text,
  replacement,
  test,
  only,
}: Mutant): Promise<{ verdict: Verdict; by?: string }> {
  const source = tree.read(file);
  if (source.split(text).length !== 2) return { verdict: 'text not found once' };
  const mutated = source.replace(text, () => replacement);
  try {
    transformSync(mutated, { loader: 'ts' });
  } catch {
    return { verdict: 'not even code' };
  }
  tree.write(file, mutated);
  try {
    const [by] = await tree.failedTests([test], only);
    return by === undefined ? { verdict: 'lives' } : { verdict: 'noticed', by };
  } finally {
    tree.write(file, source);
  }
}
