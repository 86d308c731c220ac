// npm run audit: known vulnerabilities of our dependencies. One in what is installed with the package is a failure; one in
// what only development uses is told. A registry that cannot be asked is told as well, and is no failure.
import { execFile } from 'node:child_process';
import { root } from './run.js';

const [shipped, all] = [await advisories(['--omit=dev']), await advisories([])];
const unanswered = shipped.unanswered ?? all.unanswered;
if (unanswered !== undefined) {
  console.log(`! Nothing was checked: the registry has no answer about vulnerabilities: ${unanswered}`);
} else {
  const ours = new Set(shipped.found);
  for (const line of all.found.filter((advisory) => !ours.has(advisory)))
    console.log(`! Development: ${line}`);
  for (const line of ours) console.error(`✖ ${line}`);
  if (ours.size > 0) {
    console.error('  See what npm audit fix would change, or replace the package.');
    process.exitCode = 1;
  } else console.log('✔ No vulnerability is known in what is installed with the package');
}

/**
 * Asks npm. Gives a line for each advisory, with package, severity and address, or why the registry did not answer. Any
 * other trouble ends this process.
 */
async function advisories(flags) {
  const output = await npmAudit(flags);
  const { vulnerabilities, message, error } = JSON.parse(output);
  if (vulnerabilities === undefined) {
    // Only a request that failed has a message; a lock file that is missing has a code.
    if (message === undefined) fail(error?.summary ?? output);
    return { found: [], unanswered: message };
  }
  // The others are packages that depend on these: their `via` has names alone.
  const found = Object.values(vulnerabilities)
    .flatMap(({ via }) => via)
    .filter((cause) => typeof cause === 'object')
    .map(({ name, range, severity, title, url }) => `${name} ${range} (${severity}): ${title}, ${url}`);
  return { found: [...new Set(found)].toSorted() };
}

/** It ends with 1 for advisories as for failures: what it wrote says which. */
function npmAudit(flags) {
  return new Promise((resolve) => {
    const options = { cwd: root, maxBuffer: 64 * 1024 * 1024 };
    execFile('npm', ['audit', '--json', ...flags], options, (error, stdout) => {
      if (error !== null && stdout === '') fail(error.message.trim());
      resolve(stdout);
    });
  });
}

function fail(why) {
  console.error(`✖ npm audit failed: ${why}`);
  process.exit(1);
}
