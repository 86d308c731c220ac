#!/usr/bin/env node
// Start-up only. Old versions of Node.js must be able to read this file: no static import, no top-level await.
const { LC_ALL, LC_CTYPE, LANG } = process.env;
const failed = /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '') ? '✖' : 'x';
const [major, minor] = process.versions.node.split('.').map(Number);

if ((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22) {
  const [, , first, ...others] = process.argv;
  // What programs ask for waits neither for the parser of the command line nor for anything else.
  const isVersion = (first === '--version' || first === '-V') && others.length === 0;
  // Completion answers while somebody types, and loads only what it needs.
  if (first === '__complete') void complete(others).catch(ignore);
  else void (isVersion ? printVersion() : run()).catch(explain);
} else if (process.argv[2] !== '__complete') {
  process.stderr.write(
    `${failed} tunnel needs Node.js 20.19 or newer, or 22.12 or newer; this is ${process.version}.\n` +
      '  Install a current version (https://nodejs.org), then run tunnel again.\n',
  );
  process.exitCode = 1;
}

/** It would be in the line that is being typed. */
function ignore() {}

async function complete(words) {
  const { complete: print } = await import('../dist/complete.js');
  await print(words);
}

async function printVersion() {
  const { version } = await import('../dist/version.js');
  // A reader that has gone is no reason to complain.
  process.stdout.on('error', () => undefined).write(`tunnel ${version}\n`);
}

async function run() {
  await keepCompiled().catch(() => undefined);
  const { main } = await import('../dist/cli.js');
  await main(process.argv.slice(2));
}

/**
 * Lets Node.js keep what it has compiled, where it can (22.1): in our own state directory, once a session has made it.
 * What is found there is run as it is, so nobody else may be able to write there; Node.js would use a shared directory.
 */
async function keepCompiled() {
  const module = await import('node:module');
  if (module.enableCompileCache === undefined) return;
  const [fs, path] = await Promise.all([import('node:fs'), import('node:path')]);
  const { TUNNEL_STATE_DIR, XDG_STATE_HOME, HOME } = process.env;
  const state = TUNNEL_STATE_DIR || path.join(XDG_STATE_HOME || path.join(HOME, '.local/state'), 'tunnel');
  const { uid, mode } = fs.lstatSync(state);
  if (uid === process.getuid() && (mode & 0o077) === 0)
    module.enableCompileCache(path.join(state, 'compiled'));
}

/** A clone that was not built, or one whose packages were not installed. */
function explain(error) {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  const clone = decodeURIComponent(new URL('..', import.meta.url).pathname);
  const [what] = error.message.split(' imported from ');
  process.stderr.write(
    `${failed} tunnel is not complete: ${what}.\n  Install it again; in a clone, run npm run build in ${clone}\n`,
  );
  process.exitCode = 1;
}
