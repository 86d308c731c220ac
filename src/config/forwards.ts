import { formatPath } from '../endpoint.ts';
import { UsageError } from '../errors.ts';
import { parseDynamicSpec, parseRemoteSpec, parseSpec } from '../parse-spec.ts';
import type { ForwardSpec } from '../spec.ts';
import type { HostSettings, RawOptions } from './settings.ts';

type Options = Pick<HostSettings, 'options'>;

/** Whether a yes-or-no option is on; `ssh -G` prints some of them as true and false. */
export function isOn({ options }: Options, name: string): boolean {
  return ['yes', 'true'].includes(options.get(name)?.[0] ?? '');
}

/** The mode of a local socket: StreamLocalBindMask is the umask that it is made with, 0177 unless configured. */
export function socketMode({ options }: Options): number {
  return 0o777 & ~Number.parseInt(options.get('streamlocalbindmask')?.[0] ?? '0177', 8);
}

/**
 * What a session opens: what was typed, else what is configured; nothing under ClearAllForwardings. Throws a
 * `UsageError` for a line that cannot be read.
 */
export function chosenForwards(
  settings: Options,
  typed: readonly ForwardSpec[] | undefined,
): readonly ForwardSpec[] {
  if (isOn(settings, 'clearallforwardings')) return [];
  const chosen = typed ?? configuredForwards(settings);
  return isOn(settings, 'gatewayports') ? chosen.map(withGatewayPorts) : chosen;
}

/** What the host's LocalForward, RemoteForward and DynamicForward lines ask for. Throws a `UsageError` (`ssh-config`). */
export function configuredForwards({ options }: Options): ForwardSpec[] {
  return [
    ...readLines(options, 'LocalForward', (line) => parseSpec(bothSides(line))),
    ...readLines(options, 'RemoteForward', (line) => parseRemoteSpec(bothSides(line))),
    ...readLines(options, 'DynamicForward', (line) => parseDynamicSpec(oneSide(line))),
  ];
}

function readLines(
  options: RawOptions,
  key: string,
  read: (line: string) => ForwardSpec,
): readonly ForwardSpec[] {
  return (options.get(key.toLowerCase()) ?? []).map((line) => {
    try {
      return read(line);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError('ssh-config', `${key} ${error.message}`, {
        hint: ['Correct or remove it in your ssh_config, or name what to open on the command line.'],
        cause: error,
      });
    }
  });
}

/** What is typed for a line of `ssh -G`, which has a space between the sides and `[socks]:0` for a SOCKS proxy. */
function bothSides(line: string): string {
  // Spaces in a path are printed as they are.
  const [, listen = line, connect = ''] = /^(.*?) (\/.*|\S+)$/.exec(line) ?? [];
  return connect === '[socks]:0' ? oneSide(listen) : `${oneSide(listen)}:${oneSide(connect)}`;
}

/** `ssh -G` prints a path without escapes, and every address in brackets: an empty one is every interface. */
function oneSide(side: string): string {
  return side.includes('/') ? formatPath(side) : side.replace(/^\[\*?\]:/, '*:');
}

/** Makes what has no bind address reachable from other machines, as GatewayPorts and `-g` do with `-L` and `-D`. */
export function withGatewayPorts(spec: ForwardSpec): ForwardSpec {
  const { kind, listen } = spec;
  if (kind === 'remote' || listen.kind === 'unix' || listen.host !== undefined) return spec;
  return { ...spec, listen: { ...listen, host: '*' } };
}

/** Whether PermitRemoteOpen lets a client of a remote SOCKS proxy reach this place: `HOST:PORT`, either `*`. */
export function permitsRemoteOpen({ options }: Options, host: string, port: number): boolean {
  const permitted = (options.get('permitremoteopen') ?? ['any']).flatMap((line) => line.split(/\s+/));
  return permitted.some((word) => {
    if (word === 'any') return true;
    const [, name, wanted] = /^\[?(.*?)\]?:(\d+|\*)$/.exec(word) ?? [];
    return (
      (name === '*' || name?.toLowerCase() === host.toLowerCase()) &&
      (wanted === '*' || wanted === String(port))
    );
  });
}
