// npm run demo [-- --once]: sets up and builds, and runs the main job on this machine.
import { mustRun, run } from './run.js';

await mustRun('node', ['scripts/build.js', '--no-types']);
process.exitCode = await run('node', ['--import=tsx', 'scripts/demo.ts', ...process.argv.slice(2)]);
