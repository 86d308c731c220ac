import type { ChannelRefusal } from '../../src/discover/channel-refusal.ts';
import type { RemoteHost } from '../../src/discover/socket-trouble.ts';
import { find } from '../rig/requirements.ts';
import type { Rig } from '../rig/rig.ts';

export interface RemoteOptions {
  /** A shell as the login shell of the remote: `SHELL -c COMMAND`. Default sh. */
  readonly shell?: readonly string[];
  /** Put before the shell: `setpriv …` for another user. */
  readonly prefix?: readonly string[];
  readonly home?: string;
  readonly path?: string;
  /** Default true. */
  readonly tcpPermitted?: boolean | undefined;
}

/** What OpenSSH says of every socket that it does not open. */
export const REFUSAL: ChannelRefusal = { reason: 2, description: 'open failed' };

/** This machine as the host `vps`, with a command run as sshd runs one. */
export function remote(rig: Rig, options: RemoteOptions = {}): RemoteHost {
  const { shell = ['/bin/sh'], prefix = [], home = rig.dir } = options;
  const tcpPermitted = 'tcpPermitted' in options ? options.tcpPermitted : true;
  const env = { ...rig.env, HOME: home, ...(options.path === undefined ? {} : { PATH: options.path }) };
  return {
    settings: { alias: 'vps', user: 'deploy' },
    exec: (command) => rig.run([...prefix, ...shell, '-c', command], { env }),
    tcpPermitted: async () => tcpPermitted,
  };
}

/** The shells of this machine that somebody might have as a login shell. */
export function loginShells(): string[][] {
  const names = ['sh', 'dash', 'bash', 'zsh', 'ksh', 'mksh', 'fish', 'csh', 'tcsh'];
  const shells = names.flatMap((name) => find(name) ?? []).map((path) => [path]);
  const busybox = find('busybox');
  return busybox === undefined ? shells : [...shells, [busybox, 'sh']];
}
