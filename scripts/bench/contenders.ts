import { readFileSync } from 'node:fs';
import { binary } from '../../test/rig/tunnel.ts';
import type { Rig } from '../../test/rig/rig.ts';
import type { SshClient } from '../../test/rig/ssh-client.ts';

export type ContenderName = 'tunnel' | 'ssh' | 'ssh-gcm';

/** A forwarding program that runs. */
export interface Running {
  readonly pid: number;
  stop(): Promise<void>;
}

/** `tunnel` prefers this cipher by itself. */
const gcm = ['-c', 'aes128-gcm@openssh.com'];

/** What serves a whole site on a local port: `tunnel` with these flags, or the Caddy at that port there. */
export interface Site {
  readonly port: number;
  readonly flags: readonly string[];
  readonly caddy: number;
}

/** Starts a contender; `forwards` are pairs of a local port and what it leads to. Does not wait until it is ready. */
export async function startContender(
  name: ContenderName,
  rig: Rig,
  client: SshClient,
  forwards: readonly (readonly [number, string])[],
  site: Site | undefined,
): Promise<Running> {
  const specs = forwards.map(([port, target]) =>
    name === 'tunnel' || target.startsWith('/') ? `${port}:${target}` : `${port}:127.0.0.1:${target}`,
  );
  const command =
    name === 'tunnel'
      ? [
          process.execPath,
          ...profiling(),
          binary,
          ...client.flags,
          client.name,
          ...specs.map((spec) => spec.replace(/:(\d+)$/, ':127.0.0.1:$1')),
          ...(site === undefined ? [] : ['--http', String(site.port), ...site.flags]),
        ]
      : [
          'ssh',
          ...client.flags,
          ...(name === 'ssh' ? [] : gcm),
          '-N',
          ...specs.flatMap((spec) => ['-L', spec]),
          ...(site === undefined ? [] : ['-L', `${site.port}:127.0.0.1:${site.caddy}`]),
          client.name,
        ];
  return await rig.start(command, { stopSignal: 'SIGTERM' });
}

/** BENCH_PROFILE=DIR has the profile of each run of `tunnel` written there. */
function profiling(): readonly string[] {
  const dir = process.env['BENCH_PROFILE'];
  return dir === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', dir];
}

/** Bytes that a process holds now. */
export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** Seconds of CPU that a process has used; proc(5): after the name in parentheses come fields 3 and on. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
