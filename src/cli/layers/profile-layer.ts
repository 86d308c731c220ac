import { dirname, resolve } from 'node:path';
import type { ProfileSession } from '../../config/profiles/profile.ts';
import type { Project } from '../../config/project.ts';
import { formatRoute, parseRoute } from '../../proxy/route.ts';
import { parseForward } from '../../parse-spec.ts';
import { formatSpec } from '../../spec.ts';
import type { Layer, Values } from './layer.ts';

/** A profile says what flags would. */
export function profileLayer(name: string, session: ProfileSession): Layer {
  const { forwards, routes, http, wireguard, via, standby, options = {} } = session;
  const { user, port, identity, jump, config, ssh, compress, transport, reconnect, hold, retryDial, wait } =
    options;
  return {
    source: `profile (${name})`,
    values: present({
      ...forwardValues(forwards ?? []),
      route: routes,
      http,
      wireguard,
      via,
      standby,
      user,
      port,
      identity,
      jump,
      config,
      option: ssh,
      compress,
      transport,
      reconnect: typeof reconnect === 'boolean' ? (reconnect ? 'yes' : 'no') : reconnect,
      hold,
      'retry-dial': retryDial,
      wait,
    }),
  };
}

/** A project's file says what to open, and nothing else. */
export function projectLayer({ path, forwards, routes }: Project): Layer {
  return {
    source: `project (${path})`,
    values: present({
      forward: forwards?.map(formatSpec),
      route: routes?.map((route) => routeFrom(dirname(path), route)),
    }),
  };
}

/** A relative folder is the project's, wherever below it somebody works. */
function routeFrom(directory: string, text: string): string {
  const route = parseRoute(text);
  const { upstream } = route;
  if (upstream.kind !== 'folder' || upstream.path.startsWith('~/')) return formatRoute(route);
  return formatRoute({ ...route, upstream: { ...upstream, path: resolve(directory, upstream.path) } });
}

function forwardValues(forwards: readonly string[]): Record<string, string[] | undefined> {
  const specs = forwards.map(parseForward);
  const ofKind = (kind: string): string[] | undefined => {
    const those = specs.filter((spec) => spec.kind === kind).map(formatSpec);
    return those.length > 0 ? those : undefined;
  };
  return { forward: ofKind('local'), remote: ofKind('remote'), dynamic: ofKind('dynamic') };
}

type Given = string | number | boolean | readonly string[] | undefined;

function present(given: Readonly<Record<string, Given>>): Values {
  const values: Record<string, readonly string[] | boolean> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (typeof value === 'boolean') values[name] = value;
    else values[name] = typeof value === 'string' || typeof value === 'number' ? [String(value)] : value;
  }
  return values;
}
