import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startRig, type Rig } from './rig/rig.ts';
import type { RunResult } from './rig/run.ts';

const script = fileURLToPath(new URL('../scripts/audit.js', import.meta.url));

/** What a registry knows of a package, as npm asks for it in bulk. */
function advisory(title: string, id: string): object {
  const url = `https://github.com/advisories/${id}`;
  const score = { cvss: { score: 0, vectorString: null }, cwe: [] };
  return { id: 1, url, title, severity: 'high', vulnerable_versions: '<1000', ...score };
}

/** Runs the audit, by the real npm, against a registry that answers like this. */
async function audit(t: TestContext, status: number, answer: object): Promise<RunResult> {
  const rig = await startRig(t);
  const registry = createServer((request, response) => {
    request.resume();
    // It asks for the other packages as well, and does without.
    const isAsked = request.url?.endsWith('/advisories/bulk') === true;
    response.writeHead(isAsked ? status : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isAsked ? answer : {}));
  });
  registry.listen(0, '127.0.0.1');
  await once(registry, 'listening');
  t.after(() => registry.close());
  const { port } = registry.address() as AddressInfo;
  return await runAudit(rig, {
    npm_config_registry: `http://127.0.0.1:${port}`,
    npm_config_fetch_retries: '0',
  });
}

async function runAudit(rig: Rig, env: NodeJS.ProcessEnv): Promise<RunResult> {
  return await rig.run([process.execPath, script], { env: { ...rig.env, ...env } });
}

test('audit passes where nothing is known', async (t) => {
  const { status, stdout, stderr } = await audit(t, 200, {});
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^✔ No vulnerability is known/);
});

test('audit fails for what is installed with the package, and names package, severity and advisory', async (t) => {
  const { status, stderr } = await audit(t, 200, { send: [advisory('It sends too much', 'GHSA-1')] });
  assert.equal(status, 1);
  assert.match(
    stderr,
    /^✖ send <1000 \(high\): It sends too much, https:\/\/github\.com\/advisories\/GHSA-1$/m,
  );
  assert.equal(stderr.match(/✖/g)?.length, 1, 'what depends on it is not listed as well');
});

test('audit tells what only development uses, and passes', async (t) => {
  const { status, stdout } = await audit(t, 200, { esbuild: [advisory('It serves any page', 'GHSA-2')] });
  assert.equal(status, 0);
  assert.match(stdout, /^! Development: esbuild <1000 \(high\): It serves any page, https:.*GHSA-2$/m);
});

test('audit says that nothing was checked where the registry does not answer that, and passes', async (t) => {
  const { status, stdout } = await audit(t, 405, {});
  assert.equal(status, 0);
  assert.match(stdout, /^! Nothing was checked: .* 405 /);
  assert.doesNotMatch(stdout, /✔/);
});

test('audit fails where npm itself does', async (t) => {
  const rig = await startRig(t);
  const bin = rig.folder('bin');
  const PATH = [bin, rig.env['PATH']].join(delimiter);
  for (const output of ['', '{"error":{"code":"ENOLOCK","summary":"no lock file"}}']) {
    writeFileSync(join(bin, 'npm'), `#!/bin/sh\nprintf '%s' '${output}'; exit 1\n`, { mode: 0o755 });
    const { status, stderr } = await runAudit(rig, { PATH });
    assert.equal(status, 1, output);
    assert.match(stderr, /^✖ npm audit failed: .+\n$/);
  }
});
