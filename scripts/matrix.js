// npm run matrix [-- --quick] [--node VERSION]…: installs the package as others would, and uses it under each Node.js
// and in poor places.
import { mustRun, run } from './run.js';
import { ensurePackages, ensureServers } from './setup.js';

await ensurePackages();
await ensureServers();
await mustRun('node', ['scripts/build.js']);
process.exitCode = await run('node', ['--import=tsx', 'scripts/matrix/main.ts', ...process.argv.slice(2)]);
