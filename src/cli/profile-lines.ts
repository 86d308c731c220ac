import { resolve } from 'node:path';
import { formatDestination } from '../config/destination.ts';
import { checkProfileName, type ProfileOptions, type ProfileSession } from '../config/profiles/profile.ts';
import { UsageError } from '../errors.ts';
import { withAbsolutePlaces } from '../session/http-spec.ts';
import type { VpnPlan } from '../session/plan.ts';
import { formatFlag, formatSpec, withAbsolutePath, type ForwardSpec, type HttpSpec } from '../spec.ts';
import { formatWireguard } from '../wireguard/address.ts';
import { closest } from '../closest.ts';
import { readLife, readSaying, readTarget, readVpn, type Line } from './line.ts';
import type { ProfileCommand, SaveCommand, Target } from './command.ts';
import type { Flags } from './read-flags.ts';
import { couldBeHost } from './words.ts';

/** Reads `tunnel save NAME [HOST SPEC…]`. Throws a `UsageError`. */
export function readSave(line: Line): SaveCommand {
  const [profile, ...rest] = line.words;
  if (profile === undefined) {
    throw new UsageError('missing-word', 'tunnel save needs a name', {
      hint: ['For example: tunnel save work deploy@vps 8081'],
    });
  }
  checkProfileName(profile);
  const { description, tag, forward, remote, dynamic } = line.flags;
  const about = description?.at(-1);
  const isGiven =
    [...rest, ...(forward ?? []), ...(remote ?? []), ...(dynamic ?? []), ...(line.flags.route ?? [])].length >
    0;
  const words = rest.some((word) => couldBeHost(word)) ? rest : [profile, ...rest];
  return {
    name: 'save',
    profile,
    ...(isGiven && { session: sessionOf({ ...line, words }, profile) }),
    ...(about !== undefined && { description: about }),
    ...(tag && { tags: tag }),
    ...readSaying(line.flags),
  };
}

function sessionOf(line: Line, profile: string): ProfileSession {
  const target = readTarget(line, 'save NAME ');
  readLife(line.flags);
  const { vpn } = readVpn(line.flags);
  const host = formatDestination(target.destination);
  const options = optionsOf(target, line.flags);
  return {
    ...(host !== profile && { host }),
    ...(target.forwards && keptForwards(target.forwards)),
    ...keptVpn(vpn),
    ...(Object.keys(options).length > 0 && { options }),
  };
}

/** The VPN that a session may go through, as a profile has it. */
export function keptVpn(vpn: VpnPlan | undefined): Pick<ProfileSession, 'wireguard' | 'via' | 'standby'> {
  if (vpn === undefined) return {};
  const { address, via, standby } = vpn;
  return {
    wireguard: formatWireguard(address),
    ...(via !== 'auto' && { via }),
    ...(standby && { standby: true }),
  };
}

/** What is open, as a profile has it. Throws a `UsageError` for a reverse proxy that has more than routes. */
export function keptForwards(
  specs: readonly ForwardSpec[],
): Pick<ProfileSession, 'forwards' | 'routes' | 'http'> {
  const forwards = specs.filter((spec) => spec.kind !== 'http');
  const [proxy, another] = specs.filter((spec) => spec.kind === 'http').map(withAbsolutePlaces);
  if (another !== undefined || (proxy?.kind === 'http' && !hasRoutesAlone(proxy))) {
    throw new UsageError('not-kept', 'A profile keeps one reverse proxy, with its routes alone', {
      hint: [
        'Give the rest when it is opened: --caddyfile, --as, --allow-host, --allow-origin, --log-queries',
      ],
    });
  }
  return {
    ...(forwards.length > 0 && { forwards: forwards.map((spec) => formatFlag(withAbsolutePath(spec))) }),
    ...(proxy?.kind === 'http' && { http: formatSpec(proxy), routes: proxy.routes }),
  };
}

function hasRoutesAlone({ kind: _kind, listen: _listen, routes: _routes, ...others }: HttpSpec): boolean {
  return Object.keys(others).length === 0;
}

/** The names in a profile are those of the flags. */
function optionsOf({ ssh, transport }: Pick<Target, 'ssh' | 'transport'>, flags: Flags): ProfileOptions {
  const reconnect = flags.reconnect?.at(-1);
  const hold = flags.hold?.at(-1);
  const retryDial = flags['retry-dial']?.at(-1);
  return {
    ...sshOptionsOf(ssh),
    ...((flags.transport || transport !== 'auto') && { transport }),
    ...(reconnect !== undefined && { reconnect }),
    ...(hold !== undefined && { hold }),
    ...(retryDial !== undefined && { retryDial }),
    ...(flags.wait && { wait: true }),
  };
}

/** Files are found again from another working directory. */
export function sshOptionsOf(ssh: Target['ssh']): ProfileOptions {
  const files = ssh.identityFiles?.map(absolute);
  const family = ssh.addressFamily === undefined ? [] : [`AddressFamily=${ssh.addressFamily}`];
  const options = [...(ssh.options ?? []), ...family];
  return {
    ...(ssh.user !== undefined && { user: ssh.user }),
    ...(ssh.port !== undefined && { port: ssh.port }),
    ...(files && files.length > 0 && { identity: files.length === 1 ? (files[0] ?? '') : files }),
    ...(ssh.jump !== undefined && { jump: ssh.jump }),
    ...(ssh.configFile !== undefined && { config: absolute(ssh.configFile) }),
    ...(options.length > 0 && { ssh: options }),
    ...(ssh.compression && { compress: true }),
  };
}

function absolute(path: string): string {
  return path.startsWith('~/') || path.toLowerCase() === 'none' ? path : resolve(path);
}

/** How many words each action takes. */
const ACTIONS: Readonly<Record<ProfileCommand['action'], readonly [least: number, most: number]>> = {
  ls: [0, 0],
  show: [1, Infinity],
  edit: [1, 1],
  rm: [1, Infinity],
  rename: [2, 2],
  export: [0, Infinity],
  import: [1, 1],
};

/** Reads `tunnel profile …`. Throws a `UsageError`. */
export function readProfileCommand({ words, flags }: Line): ProfileCommand {
  const [given = '', ...rest] = words;
  const actions = Object.keys(ACTIONS) as ProfileCommand['action'][];
  const action = actions.find((name) => name === given);
  if (action === undefined) {
    const similar = closest(given, actions);
    throw new UsageError('missing-word', 'tunnel profile needs to know what to do', {
      hint: [
        similar === undefined
          ? `It is one of: ${actions.join(', ')}`
          : `Did you mean tunnel profile ${similar}?`,
      ],
    });
  }
  const [least, most] = ACTIONS[action];
  if (rest.length < least || rest.length > most) {
    throw new UsageError('missing-word', `tunnel profile ${action} takes other words`, {
      hint: ['tunnel help profile shows them.'],
    });
  }
  if (action === 'rename') checkProfileName(rest[1] ?? '');
  return { name: 'profile', action, words: rest, force: flags.force ?? false, ...readSaying(flags) };
}
