import { statSync } from 'node:fs';
import { UsageError } from '../errors.ts';
import { localSocketPath } from '../spec.ts';
import { prefixOf } from './path.ts';
import { formatRoute, formatUpstream, type Route } from './route.ts';
import type { Rule, Step } from './rule.ts';

/**
 * Routes as rules: those with a host before those without, exact hosts before wildcards, and then the longest path first,
 * as Caddy sorts them. Throws a `UsageError`: `route-twice` where two have the same host and path, `route-folder` where
 * there is no such folder here.
 */
export function compileRoutes(routes: readonly Route[]): readonly Rule[] {
  for (const [index, route] of routes.entries()) {
    const earlier = routes.slice(0, index).find((other) => samePlace(other, route));
    if (earlier !== undefined) {
      throw new UsageError(
        'route-twice',
        `Two routes have the same host and path: ${formatRoute(earlier)} and ${formatRoute(route)}`,
      );
    }
  }
  return routes.toSorted(byPlace).map((route) => ({
    match: [
      {
        ...(route.host === undefined ? {} : { hosts: [route.host] }),
        ...(route.path === '/' ? {} : { paths: [route.path] }),
      },
    ],
    steps: toSteps(route),
    group: 'routes',
    name: `${route.host ?? ''}${route.path} → ${formatUpstream(route.upstream)}`,
  }));
}

function samePlace(a: Route, b: Route): boolean {
  return a.host === b.host && a.path.toLowerCase() === b.path.toLowerCase();
}

function byPlace(a: Route, b: Route): number {
  return hostRank(a) - hostRank(b) || hostLength(b) - hostLength(a) || comparePaths(a.path, b.path);
}

function hostRank({ host }: Route): number {
  if (host === undefined) return 2;
  return host.startsWith('*') ? 1 : 0;
}

function hostLength({ host = '' }: Route): number {
  return host.length;
}

/** As Caddy's sortRoutes (httptype.go): the longer path without its last star first, of equals the exact one. */
export function comparePaths(a: string, b: string): number {
  const [left, right] = [a.replace(/\*$/, ''), b.replace(/\*$/, '')];
  if (left === right) return a.length - b.length;
  return right.length - left.length || (left < right ? -1 : 1);
}

function toSteps(route: Route): readonly Step[] {
  const { path, upstream, keepPrefix = false } = route;
  const prefix = prefixOf(path);
  const strip: Step[] = keepPrefix || prefix === '' ? [] : [{ do: 'strip', prefix }];
  if (upstream.kind !== 'folder') return [...strip, { do: 'proxy', upstreams: [upstream] }];
  const folder = existingFolder(route, upstream.path);
  return [
    ...strip,
    { do: 'root', folder },
    ...(upstream.spa === true ? [singlePage] : []),
    { do: 'files', index: ['index.html'], hide: [], precompressed: ['br', 'zstd', 'gzip'] },
  ];
}

/** A socket that is not called one is read as a folder, so it is said how to write it. */
function existingFolder(route: Route, path: string): string {
  const folder = localSocketPath(path);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return folder;
  const socket = formatRoute({
    ...route,
    upstream: { kind: 'unix', path: path.includes('/') ? path : `./${path}` },
  });
  throw new UsageError(
    'route-folder',
    `${formatRoute(route)}: there is no folder ${folder} on this machine`,
    {
      hint: [`If it is a socket on the remote, write ${socket}`],
    },
  );
}

/** What `try_files {path} /index.html` is. */
const singlePage: Step = {
  do: 'rules',
  rules: [
    {
      match: [{ tryFiles: ['{http.request.uri.path}', '/index.html'] }],
      steps: [{ do: 'rewrite', uri: '{http.matchers.file.relative}' }],
    },
  ],
};
