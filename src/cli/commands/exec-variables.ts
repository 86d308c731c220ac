import type { ForwardView } from '../../session/events.ts';
import { localUrl, onEveryInterface } from '../../session/labels.ts';
import { localSocketPath } from '../../spec.ts';

const OURS = /^TUNNEL_(URL|HOST|PORT|SOCKET)(_\d+)?$/;

/**
 * The environment of the command of `tunnel exec`: `TUNNEL_URL`, `TUNNEL_HOST` and `TUNNEL_PORT` of the first forward,
 * and `TUNNEL_URL_1` and so on of each, as far as they have them; a socket here has `TUNNEL_SOCKET` instead. Remote
 * forwards are not counted: nothing here listens for them. Those of an outer `tunnel exec` are taken away.
 */
export function execVariables(forwards: readonly ForwardView[], env = process.env): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !OURS.test(name));
  const here = forwards.filter(({ spec }) => spec.kind !== 'remote').map(variablesOf);
  const numbered = here.flatMap((variables, index) =>
    Object.entries(variables).map(([name, value]) => [`${name}_${index + 1}`, value]),
  );
  return { ...Object.fromEntries(kept), ...here[0], ...Object.fromEntries(numbered) };
}

function variablesOf(forward: ForwardView): Record<string, string> {
  const [first] = forward.bound;
  if (first === undefined) return {};
  if (first.kind === 'unix') return { TUNNEL_SOCKET: localSocketPath(first.path) };
  const url = localUrl(forward);
  const host = onEveryInterface(forward) ? '127.0.0.1' : (first.host ?? '127.0.0.1');
  return {
    TUNNEL_HOST: host,
    TUNNEL_PORT: String(first.port),
    ...(url !== undefined && { TUNNEL_URL: url }),
  };
}
