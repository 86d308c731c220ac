import { execFile } from 'node:child_process';
import { systemCode } from '../../errors.ts';
import type { LocalEnvironment } from '../local-environment.ts';
import type { Destination, RawOptions, SshFlags } from '../settings.ts';
import { explainComplaint, LOCATED } from './ssh-complaint.ts';
import { areUnexpanded, expandAsSsh } from './expand-as-ssh.ts';
import { tokensFor } from './host-settings.ts';
import type { ResolvedOptions } from './resolved-options.ts';

/**
 * Asks `ssh -G` what the configuration says, and what it would say if it were empty. Undefined where there is no ssh.
 * Throws a `UsageError` ('ssh-config') with what ssh complains about, or the reason of `signal`.
 *
 * ssh runs what the configuration tells it to (`Match exec`), as it does whenever the person uses it.
 */
export async function askOpenSsh(
  destination: Destination,
  flags: SshFlags,
  local: LocalEnvironment,
  signal?: AbortSignal,
): Promise<ResolvedOptions | undefined> {
  const [answer, empty] = await Promise.all([
    runSsh([...sshArguments(destination, flags), '-G', '--', destination.host], local, signal),
    runSsh(['-F', 'none', '-G', '--', destination.host], local, signal),
  ]);
  if (answer === undefined || empty === undefined) return undefined;
  const said = withoutDebug(answer.stderr);
  if (answer.status !== 0) throw await explainComplaint(said.join('\n'), destination, flags);
  const options = parseOptions(answer.stdout);
  const defaults = parseOptions(empty.stdout);
  return {
    options: areUnexpanded(defaults)
      ? expandAsSsh(options, tokensFor(destination.host, options, local), local)
      : options,
    defaults,
    warnings: said.filter((line) => LOCATED.test(line)),
  };
}

/** With LogLevel DEBUG it also tells which lines it applies. */
function withoutDebug(stderr: string): string[] {
  return stderr.split(/\r?\n/).filter((line) => !/^debug[123]: /.test(line));
}

/** Of two flags that say the same, ssh takes the first; what is part of the destination comes last. */
function sshArguments(destination: Destination, flags: SshFlags): string[] {
  return [
    ...given('-F', flags.configFile),
    ...given('-p', flags.port),
    ...given('-l', flags.user),
    ...(flags.identityFiles ?? []).flatMap((file) => ['-i', file]),
    ...given('-J', flags.jump),
    ...(flags.compression ? ['-C'] : []),
    ...(flags.addressFamily === undefined ? [] : [flags.addressFamily === 'inet' ? '-4' : '-6']),
    ...(flags.options ?? []).flatMap((option) => ['-o', option]),
    ...given('-l', destination.user),
    ...given('-p', destination.port),
  ];
}

function given(flag: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [flag, String(value)];
}

interface Answer {
  readonly status: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function runSsh(
  args: string[],
  local: LocalEnvironment,
  signal?: AbortSignal,
): Promise<Answer | undefined> {
  const options = { env: local.env, cwd: local.directory, windowsHide: true, ...(signal && { signal }) };
  return await new Promise((resolve, reject) => {
    const child = execFile('ssh', args, options, (error, stdout, stderr) => {
      if (signal?.aborted) reject(signal.reason as Error);
      else if (systemCode(error) === 'ENOENT') resolve(undefined);
      else resolve({ status: error === null ? 0 : (error.code ?? error.signal ?? null), stdout, stderr });
    });
    child.stdin?.end();
  });
}

function parseOptions(output: string): RawOptions {
  const options = new Map<string, string[]>();
  for (const line of output.split('\n')) {
    const [, name = '', value = ''] = /^(\S+) ?(.*)$/s.exec(line) ?? [];
    const before = options.get(name.toLowerCase());
    if (before !== undefined) before.push(value);
    else if (name !== '' && name !== 'host') options.set(name.toLowerCase(), [value]);
  }
  return withoutEchoes(options);
}

/** ssh prints a LocalForward to a socket a second time, as if it were a DynamicForward (dump_cfg_forwards). */
function withoutEchoes(options: Map<string, string[]>): RawOptions {
  const toSockets = (options.get('localforward') ?? []).filter((value) => !/ \[.*\]:\d+$/.test(value));
  const dynamic = options.get('dynamicforward') ?? [];
  for (const forwarding of toSockets) {
    const echo = dynamic.findIndex((listen) => forwarding.startsWith(`${listen} `));
    if (echo !== -1) dynamic.splice(echo, 1);
  }
  if (dynamic.length === 0) options.delete('dynamicforward');
  return options;
}
