import { UsageError } from '../../errors.ts';
import type { Rule } from '../rule.ts';
import type { CaddyfileOptions } from './scope.ts';

/** One site of a Caddyfile. */
export interface Site {
  /** As it is written, or as `caddy adapt` has it. */
  readonly address: string;
  /** Without any it is for every name. */
  readonly hosts: readonly string[];
  readonly port: number | undefined;
  readonly rules: readonly Rule[];
}

/**
 * The rules of all sites behind one local port. A site with a name is reached by that name, if it leads here, and by
 * `NAME.localhost`, which it does in every browser; the first one by the loopback names as well. Throws a `UsageError`
 * (`caddyfile-sites`) where two sites would be for the same names.
 */
export function joinSites(
  all: readonly Site[],
  file: string,
  { site: wanted, folder }: Pick<CaddyfileOptions, 'site' | 'folder'>,
): readonly Rule[] {
  const sites = wanted === undefined ? all : all.filter((site) => isWanted(site, wanted));
  const listed = all.map(({ address }) => address).join(', ');
  if (sites.length === 0) {
    const why =
      wanted === undefined ? 'there is no site in it' : `it has no site ${wanted}, but ${listed || 'none'}`;
    throw new UsageError('caddyfile-sites', `${file}: ${why}`);
  }
  const nameless = sites.filter(({ hosts }) => hosts.length === 0);
  if (nameless.length > 1) {
    throw new UsageError(
      'caddyfile-sites',
      `${file}: several sites differ only in their port, and one port is served here`,
      {
        hint: [`Say which of them is meant: ${nameless.map(({ address }) => address).join(', ')}`],
      },
    );
  }
  const named = sites.filter(({ hosts }) => hosts.length > 0).map((site) => toRule(site, folder));
  const fallback = nameless[0] ?? sites[0];
  return [...named, ...(fallback === undefined ? [] : [{ ...toRule(fallback, folder), match: [] }])];
}

function isWanted({ address, port, hosts }: Site, wanted: string): boolean {
  return (
    address.split(/[\s,]+/).includes(wanted) ||
    hosts.includes(wanted.toLowerCase()) ||
    `:${port ?? ''}` === wanted
  );
}

function toRule({ hosts, rules }: Site, folder: string): Rule {
  const local = hosts.filter((host) => host !== 'localhost' && !host.endsWith('.localhost'));
  return {
    match: hosts.length === 0 ? [] : [{ hosts: [...hosts, ...local.map((host) => `${host}.localhost`)] }],
    // Where no root is set it is the folder that Caddy runs in.
    steps: [
      { do: 'root', folder },
      { do: 'rules', rules },
    ],
    group: 'sites',
  };
}

/** `example.com`, `https://example.com:8443`, `:8081`. Undefined for what is not understood, as a path is. */
export function readAddress(
  text: string,
): { host: string | undefined; port: number | undefined } | undefined {
  const found = /^(?:https?:\/\/)?(\[[\da-f:.]+\]|[\w.*-]*)(?::(\d+))?\/?$/i.exec(text);
  if (found === null) return undefined;
  const [, host = '', port] = found;
  return {
    host: host === '' ? undefined : host.toLowerCase(),
    port: port === undefined ? undefined : Number(port),
  };
}
