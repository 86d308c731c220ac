// npm run bench [-- --quick] [--list] [--runs N] [SCENARIO…]: sets up and builds, and measures `tunnel` beside `ssh -L`.
import { mustRun, run } from './run.js';
import { ensurePackages, ensureServers } from './setup.js';

await ensurePackages();
await ensureServers(['wrk']);
await mustRun('node', ['scripts/build.js', '--no-types']);
process.exitCode = await run('node', ['--import=tsx', 'scripts/bench/main.ts', ...process.argv.slice(2)]);
