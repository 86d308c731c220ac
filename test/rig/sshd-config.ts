import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { serverEnv } from './env.ts';
import { find } from './requirements.ts';
import type { KeyPair } from './ssh-keys.ts';

export interface SshdConfig {
  readonly dir: string;
  readonly address: string;
  readonly port: number;
  readonly hostKeys: readonly KeyPair[];
  readonly authorizedKeys: string;
  /** A test's own lines. */
  readonly lines: readonly string[];
  /** What `~` is for whoever runs the tests, instead of their own home. */
  readonly home: string;
}

/** The text of an sshd_config(5). */
export function sshdConfig({
  dir,
  address,
  port,
  hostKeys,
  authorizedKeys,
  lines,
  home,
}: SshdConfig): string {
  // The first value of a keyword counts, and everything after a Match belongs to it.
  const match = lines.findIndex((line) => /^\s*match\b/i.test(line));
  const globals = match < 0 ? lines : lines.slice(0, match);
  const matches = match < 0 ? [] : lines.slice(match);
  return [
    ...globals,
    `ListenAddress ${address}`,
    `Port ${port}`,
    ...hostKeys.map(({ file }) => `HostKey ${file}`),
    `PidFile ${join(dir, 'sshd.pid')}`,
    `AuthorizedKeysFile ${authorizedKeys}`,
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'StrictModes no',
    'UsePAM no',
    'UseDNS no',
    'PermitUserRC no',
    'PrintLastLog no',
    'PrintMotd no',
    'LogLevel VERBOSE',
    // Connections that fail on purpose must not lock a test out.
    'MaxStartups 1000',
    ...(hasPenalties() ? ['PerSourcePenalties no'] : []),
    'Subsystem sftp internal-sftp',
    ...matches,
    `Match User ${userInfo().username}`,
    `SetEnv HOME=${home}`,
    '',
  ].join('\n');
}

/** Since OpenSSH 9.8. An older sshd refuses a configuration with a keyword that it does not know. */
function hasPenalties(): boolean {
  const binary = find('sshd') ?? 'sshd';
  try {
    execFileSync(binary, ['-t', '-f', '/dev/null', '-o', 'PerSourcePenalties=no'], {
      env: serverEnv('/'),
      stdio: 'pipe',
    });
    return true;
  } catch (error) {
    return !String((error as { stderr?: unknown }).stderr).includes('PerSourcePenalties');
  }
}
