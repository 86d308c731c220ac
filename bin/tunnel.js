#!/usr/bin/env node
// Start-up only. Old versions of Node.js must be able to read this file: no static import, no top-level await.
const [major, minor] = process.versions.node.split('.').map(Number);

if ((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22) {
  // Completion answers while somebody types, and loads only what it needs.
  if (process.argv[2] === '__complete') {
    void import('../dist/complete.js').then(({ complete }) => complete(process.argv.slice(3))).catch(ignore);
  } else {
    void import('../dist/cli.js').then(({ main }) => main(process.argv.slice(2)), explain);
  }
} else if (process.argv[2] !== '__complete') {
  process.stderr.write(
    `✖ tunnel needs Node.js 20.19 or newer, or 22.12 or newer; this is ${process.version}.\n` +
      '  Install a current version (https://nodejs.org), then run tunnel again.\n',
  );
  process.exitCode = 1;
}

/** It would be in the line that is being typed. */
function ignore() {}

/** A clone that was not built, or one whose packages were not installed. */
function explain(error) {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  const clone = decodeURIComponent(new URL('..', import.meta.url).pathname);
  const [what] = error.message.split(' imported from ');
  process.stderr.write(
    `✖ tunnel is not complete: ${what}.\n  Install it again; in a clone, run npm run build in ${clone}\n`,
  );
  process.exitCode = 1;
}
