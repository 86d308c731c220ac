// npm run demo [-- --once]: sets up, builds, and runs the main job on this machine.
import { mustRun, run } from './run.js';
import { ensurePackages } from './setup.js';

await ensurePackages();
await mustRun('node', ['scripts/build.js', '--no-types']);
process.exitCode = await run('node', ['--import=tsx', 'scripts/demo.ts', ...process.argv.slice(2)]);
