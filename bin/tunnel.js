#!/usr/bin/env node
// Start-up only. It is CommonJS (package.json beside it says so): the loader of modules takes longer than all that is done
// here. Old versions of Node.js must be able to read this file: no `?.`, no `??`, no `node:`.
const fs = require('fs');
const path = require('path');

const [major, minor] = process.versions.node.split('.').map(Number);
const isSupported = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22;
const [, , first, ...others] = process.argv;

// Completion answers while somebody types, and loads only what it needs.
if (first === '__complete') complete();
else if (!isSupported) refuse();
// What programs ask for waits neither for the parser of the command line nor for anything else.
else if ((first === '--version' || first === '-V') && others.length === 0) printVersion();
else void run().catch(explain);

function complete() {
  try {
    if (isSupported) require('../dist/complete.cjs').complete(others);
  } catch {
    // Whatever was said would be in the line that is being typed.
  }
}

function refuse() {
  process.stderr.write(
    `✖ tunnel needs Node.js 20.19 or newer, or 22.12 or newer; this is ${process.version}.\n` +
      '  Install a current version (https://nodejs.org), then run tunnel again.\n',
  );
  process.exitCode = 1;
}

function printVersion() {
  const { version } = require('../package.json');
  try {
    // process.stdout would have to be loaded.
    fs.writeFileSync(1, `tunnel ${version}\n`);
  } catch {
    // A reader that has gone is no reason to complain.
  }
}

async function run() {
  keepCompiled();
  const { main } = await import('../dist/cli.js');
  await main(process.argv.slice(2));
}

/**
 * Lets Node.js keep what it has compiled, where it can (22.1): in our own state directory, once a session has made it.
 * What is found there is run as it is, so nobody else may be able to write there; Node.js would use a shared directory.
 */
function keepCompiled() {
  const module = require('module');
  if (module.enableCompileCache === undefined) return;
  const { TUNNEL_STATE_DIR, XDG_STATE_HOME, HOME } = process.env;
  try {
    const state = TUNNEL_STATE_DIR || path.join(XDG_STATE_HOME || path.join(HOME, '.local/state'), 'tunnel');
    const { uid, mode } = fs.lstatSync(state);
    if (uid === process.getuid() && (mode & 0o077) === 0)
      module.enableCompileCache(path.join(state, 'compiled'));
  } catch {
    // It goes without.
  }
}

/** A clone that was not built, or one whose packages were not installed. */
function explain(error) {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  const [what] = error.message.split(' imported from ');
  process.stderr.write(
    `✖ tunnel is not complete: ${what}.\n` +
      `  Install it again; in a clone, run npm run build in ${path.dirname(__dirname)}/\n`,
  );
  process.exitCode = 1;
}
