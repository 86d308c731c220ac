import { parseDuration, parseReconnect } from '../../duration.ts';
import { quoted } from '../../endpoint.ts';
import { UsageError } from '../../errors.ts';
import { transportNames } from '../../ssh/transport-name.ts';
import type { Layer } from './layer.ts';

interface Variable {
  readonly flag: string;
  /** Gives what the flag takes; throws a `UsageError`. */
  readonly read: (text: string, name: string) => string | boolean;
}

export const variables: Readonly<Record<string, Variable>> = {
  TUNNEL_TRANSPORT: { flag: 'transport', read: readTransport },
  TUNNEL_RECONNECT: { flag: 'reconnect', read: (text, name) => (parseReconnect(text, name), text) },
  TUNNEL_HOLD: { flag: 'hold', read: (text, name) => (parseDuration(name, text), text) },
  TUNNEL_RETRY_DIAL: { flag: 'retry-dial', read: (text, name) => (parseDuration(name, text), text) },
  TUNNEL_WAIT: { flag: 'wait', read: readSwitch },
};

/** What TUNNEL_* variables say; an empty one says nothing. Throws a `UsageError` that names the variable. */
export function environmentLayers(env: Readonly<NodeJS.ProcessEnv>): Layer[] {
  return Object.entries(variables).flatMap(([name, { flag, read }]) => {
    const text = env[name];
    if (text === undefined || text === '') return [];
    const value = read(text, name);
    return [
      { source: `environment (${name})`, values: { [flag]: typeof value === 'string' ? [value] : value } },
    ];
  });
}

function readTransport(text: string, name: string): string {
  if (transportNames.some((transport) => transport === text)) return text;
  throw new UsageError('bad-transport', `${name} ${quoted(text)} is not known`, {
    hint: [`It is one of: ${transportNames.join(', ')}`],
  });
}

function readSwitch(text: string, name: string): boolean {
  if (['1', 'yes', 'true', 'on'].includes(text)) return true;
  if (['0', 'no', 'false', 'off'].includes(text)) return false;
  throw new UsageError('bad-switch', `${name} ${quoted(text)} is neither yes nor no`);
}
