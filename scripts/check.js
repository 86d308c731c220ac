// Everything about the code that needs no server: types, lint, format. All of them run, so that one look shows it all.
import { run } from './run.js';
import { ensurePackages } from './setup.js';

await ensurePackages();

const checks = [
  ['tsc', '--noEmit', '-p', '.'],
  ['oxlint', '--type-aware', '--deny-warnings', '-c', '.oxlintrc.json'],
  ['prettier', '--check', '.'],
];

const failed = [];
for (const [command, ...args] of checks) {
  if ((await run(command, args)) !== 0) failed.push(command);
}
if (failed.length > 0) {
  console.error(`✖ failed: ${failed.join(', ')}`);
  process.exit(1);
}
