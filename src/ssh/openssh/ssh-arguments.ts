import type { HostSettings, SshFlags } from '../../config/settings.ts';
import { proxyCommandOptions } from './jump-command.ts';

export interface MasterOptions {
  readonly controlPath: string;
  readonly batchMode: boolean;
  /** What is to be run instead of the jumps of the configuration and of `-J`. */
  readonly jumpCommand: string | undefined;
}

/**
 * What ssh is started with to be our master. Ours come first, as ssh takes the first value of an option; after them the
 * person's own flags, with which it reads its configuration as it would for them.
 */
export function masterArguments(settings: HostSettings, flags: SshFlags, ours: MasterOptions): string[] {
  const options = [
    'ControlMaster=yes',
    `ControlPath=${quoted(ours.controlPath)}`,
    'ControlPersist=no',
    // What the configuration forwards is opened by us, or not at all.
    'ClearAllForwardings=yes',
    'ExitOnForwardFailure=no',
    'Tunnel=no',
    'StreamLocalBindMask=0177',
    // The level that tells what became of each channel (see OpenOutcomes). Not as -vv: ssh hands that on to the ssh of a
    // ProxyJump, whose lines could then be taken for these.
    'LogLevel=DEBUG2',
    `ServerAliveInterval=${settings.serverAliveInterval}`,
    `ServerAliveCountMax=${settings.serverAliveCountMax}`,
    // ssh itself would go on under a changed key, and forward for whoever shows it.
    ...(settings.strictHostKeyChecking === 'no' ? ['StrictHostKeyChecking=accept-new'] : []),
    ...(ours.batchMode ? ['BatchMode=yes'] : []),
    // An ssh before 8.7 does not know this one, and would not have listed it either.
    ...(settings.options.has('forkafterauthentication') ? ['ForkAfterAuthentication=no'] : []),
  ];
  return [
    '-N',
    ...options.flatMap((option) => ['-o', option]),
    ...(ours.jumpCommand === undefined ? [] : proxyCommandOptions(ours.jumpCommand)),
    // ssh takes no -J beside a ProxyCommand.
    ...personal(settings, flags, ours.jumpCommand === undefined ? flags.jump : undefined),
    '--',
    settings.alias,
  ];
}

function personal(settings: HostSettings, flags: SshFlags, jump: string | undefined): string[] {
  const family = { inet: '-4', inet6: '-6' };
  return [
    ...(flags.configFile === undefined ? [] : ['-F', flags.configFile]),
    '-l',
    settings.user,
    '-p',
    String(settings.port),
    ...(flags.identityFiles ?? []).flatMap((file) => ['-i', file]),
    ...(jump === undefined ? [] : ['-J', jump]),
    ...(flags.compression === true ? ['-C'] : []),
    ...(flags.addressFamily === undefined ? [] : [family[flags.addressFamily]]),
    ...(flags.options ?? []).flatMap((option) => ['-o', option]),
  ];
}

/**
 * Options for a program of OpenSSH that only talks to a master. It reads no configuration, and where there is no master
 * it fails: it would connect to the host itself otherwise.
 */
export function clientOptions(controlPath: string): string[] {
  const options = ['ControlMaster=no', `ControlPath=${quoted(controlPath)}`, 'ProxyCommand=false'];
  return ['-F', '/dev/null', ...options.flatMap((option) => ['-o', option])];
}

/** As one word of ssh_config, without tokens. */
function quoted(path: string): string {
  return `"${path.replaceAll('%', '%%').replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
