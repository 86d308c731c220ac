import type { LocalEnvironment } from '../local-environment.ts';
import type { RawOptions } from '../settings.ts';
import { expandOption, type Tokens } from '../tokens.ts';
import { splitPaths } from './split-paths.ts';

/**
 * Expands what `ssh -G` prints expanded since OpenSSH 8.4, for a source that did not; other options keep their tokens,
 * as there.
 */
export function expandAsSsh(options: RawOptions, tokens: Tokens, local: LocalEnvironment): RawOptions {
  const expanded = new Map(options);
  const expand = (name: string, change: (value: string) => string): void => {
    const values = options.get(name);
    if (values !== undefined) expanded.set(name, values.map(change));
  };
  expand('controlpath', (path) => expandOption('ControlPath', path, tokens, local));
  expand('identityagent', (path) => expandOption('IdentityAgent', path, tokens, local));
  expand('userknownhostsfile', (value) =>
    splitPaths(value)
      .map((path) => expandOption('UserKnownHostsFile', path, tokens, local))
      .join(' '),
  );
  for (const option of ['LocalForward', 'RemoteForward'] as const) {
    expand(option.toLowerCase(), (value) =>
      expandPaths(value, (path) => expandOption(option, path, tokens, local)),
    );
  }
  return expanded;
}

/** True for the defaults of an ssh that leaves all tokens to whoever reads them. */
export function areUnexpanded(defaults: RawOptions): boolean {
  return defaults.get('userknownhostsfile')?.[0]?.startsWith('~') ?? false;
}

/** Addresses are left alone: a "%" in one is an IPv6 zone. */
function expandPaths(forwarding: string, expand: (path: string) => string): string {
  return forwarding.replace(/\[[^\]]*\]:\d+|[^ ]+/g, (end) => (end.startsWith('[') ? end : expand(end)));
}
