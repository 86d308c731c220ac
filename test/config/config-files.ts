import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { parseDestination } from '../../src/config/destination.ts';
import type { SshFlags } from '../../src/config/settings.ts';
import { resolveSettings } from '../../src/config/ssh-config.ts';
import { UsageError } from '../../src/errors.ts';
import { skipWithout } from '../rig/requirements.ts';

export const HOME = userInfo().homedir;
export const USER = userInfo().username;

/** What all tests find in their environment. */
const ENV = { SSH_AUTH_SOCK: '/run/agent.sock', KEYS: '/keys', AGENT: '/run/other.sock' };

/** For what OpenSSH is asked. */
export const skip = skipWithout('ssh');
export const withOpenSsh = { ...process.env, ...ENV };
export const withoutOpenSsh = { ...withOpenSsh, PATH: '/nonexistent' };
export const SOURCES = [
  { source: 'OpenSSH', env: withOpenSsh, skip },
  { source: 'our own reader', env: withoutOpenSsh, skip: false },
];

export const root = mkdtempSync(join(tmpdir(), 'ssh-config-'));
after(() => rmSync(root, { recursive: true }));

/** Writes the files and gives the path of `config` among them. */
export function write(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(root, 'case-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text.replaceAll('DIR', directory), { mode: 0o600 });
  }
  return join(directory, 'config');
}

/** What ssh itself prints, by lowercase name. */
export function dump(host: string, args: readonly string[]): Map<string, string[]> {
  const stdout = execFileSync('ssh', [...args, '-G', '--', host], {
    encoding: 'utf8',
    env: withOpenSsh,
    stdio: 'pipe',
  });
  const options = new Map<string, string[]>();
  for (const line of stdout.trimEnd().split('\n')) {
    const [name = '', ...words] = line.split(' ');
    options.set(name.toLowerCase(), [...(options.get(name.toLowerCase()) ?? []), words.join(' ')]);
  }
  return options;
}

/** The error for a configuration that has to be refused. */
export async function refusal(host: string, flags: SshFlags, env: NodeJS.ProcessEnv): Promise<UsageError> {
  const error: unknown = await resolveSettings(parseDestination(host), flags, { env }).then(
    () => assert.fail('it was accepted'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof UsageError, String(error));
  assert.equal(error.code, 'ssh-config');
  assert.equal(error.exitStatus, 2);
  assert.ok(error.hint.length > 0, 'it has a next step');
  return error;
}
