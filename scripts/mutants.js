// npm run mutants [-- WORD…]: sets up, breaks one central line after the other, and sees that its test notices.
import { run } from './run.js';
import { ensurePackages, ensureServers } from './setup.js';

await ensurePackages();
await ensureServers();
process.exitCode = await run('node', ['--import=tsx', 'scripts/mutants/main.ts', ...process.argv.slice(2)]);
