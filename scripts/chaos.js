// npm run chaos [-- --seed N --faults N --clients N]: sets up and builds, and lets things go wrong at random.
import { mustRun, run } from './run.js';
import { ensurePackages, ensureServers } from './setup.js';

await ensurePackages();
await ensureServers();
await mustRun('node', ['scripts/build.js', '--no-types']);
process.exitCode = await run('node', ['--import=tsx', 'scripts/chaos.ts', ...process.argv.slice(2)]);
