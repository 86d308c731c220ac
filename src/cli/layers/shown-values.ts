import type { HostSettings } from '../../config/settings.ts';
import { formatSpec, type ForwardSpec } from '../../spec.ts';
import type { Sourced } from './layer.ts';

/** What counts, and who says so. */
export interface ShownValue {
  readonly name: string;
  readonly value: string;
  readonly source: string;
}

/** What holds where nobody says anything; session.ts has them. */
const DEFAULTS: readonly (readonly [name: string, value: string])[] = [
  ['transport', 'auto'],
  ['reconnect', '500ms..30s'],
  ['hold', '15s'],
  ['retry-dial', '2s'],
  ['wait', 'no'],
];

/** Every value that decides how a session is opened, with where it comes from, the nearest first of each. */
export function shownValues(
  sources: readonly Sourced[],
  settings: Pick<HostSettings, 'user' | 'port' | 'configured'>,
  forwards: readonly ForwardSpec[],
): ShownValue[] {
  const said = sources.map(({ flag, value, source }) => ({ name: flag, value, source }));
  const opens = said.some(({ name }) => ['forward', 'remote', 'dynamic'].includes(name));
  const configured = opens
    ? []
    : forwards.map((spec) => ({
        name: spec.kind === 'local' ? 'forward' : spec.kind,
        value: formatSpec(spec),
        source: 'ssh_config',
      }));
  const account = (['user', 'port'] as const).map((name) => ({
    name,
    value: String(settings[name]),
    source: settings.configured.has(name) ? 'ssh_config' : 'default',
  }));
  const defaults = DEFAULTS.map(([name, value]) => ({ name, value, source: 'default' }));
  const names = new Set<string>(said.map(({ name }) => name));
  return [...said, ...configured, ...[...account, ...defaults].filter(({ name }) => !names.has(name))];
}
