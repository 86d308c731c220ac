import { quoted } from '../endpoint.ts';
import { UsageError } from '../errors.ts';
import { parseDynamicSpec } from '../parse-spec.ts';
import { checkHost, checkName, checkOrigin, readHttpPlace, readHttpSpec } from '../session/http-spec.ts';
import type { HttpSpec } from '../spec.ts';
import { httpFlags } from './flags.ts';
import type { Flags } from './read-flags.ts';

/** What `--http` and the flags around it ask for. Throws a `UsageError`. */
export function readHttp(flags: Flags): HttpSpec | undefined {
  const listen = flags.http?.at(-1);
  const { route: routes = [] } = flags;
  const caddyfile = flags.caddyfile?.at(-1);
  if (routes.length === 0 && caddyfile === undefined) return refuseLonely(flags, listen);
  const remoteFolder = flags['remote-dir']?.at(-1);
  if (remoteFolder !== undefined && caddyfile === undefined) {
    throw new UsageError('no-caddyfile', `--remote-dir ${quoted(remoteFolder)} needs --caddyfile`, {
      hint: ['The sockets of routes are named from the home there: -r /=~/app/app.sock'],
    });
  }
  const as = flags.as?.at(-1);
  const place = listen ?? 'auto';
  parseDynamicSpec(place);
  return readHttpSpec(place, {
    routes: flags.spa === true ? routes.map(asSinglePage) : routes,
    ...(caddyfile !== undefined && {
      caddyfile: { file: caddyfile, ...(remoteFolder !== undefined && { remoteFolder }) },
    }),
    ...(as !== undefined && { as: checkName('--as', as) }),
    ...(flags['allow-host'] && {
      allowHosts: flags['allow-host'].map((host) => checkHost('--allow-host', host)),
    }),
    ...(flags['allow-origin'] && {
      allowOrigins: flags['allow-origin'].map((origin) => checkOrigin('--allow-origin', origin)),
    }),
    ...((flags['log-queries'] === true || flags['log-cookies'] === true) && {
      log: { queries: flags['log-queries'] === true, cookies: flags['log-cookies'] === true },
    }),
  });
}

/** The same; where it listens is enough. */
export function readHttpToCancel(flags: Flags): HttpSpec | undefined {
  const listen = flags.http?.at(-1);
  const alone = listen !== undefined && httpFlags.every((name) => name === 'http' || !isGiven(flags, name));
  return alone ? readHttpPlace(listen) : readHttp(flags);
}

/** A route to a folder; others have no pages of their own to give. */
function asSinglePage(route: string): string {
  const target = route.slice(route.indexOf('=') + 1);
  const isFolder = /^(\.{1,2}|~)?\//.test(target) && !/\.sock(et)?(,|$)/.test(target);
  return isFolder && !/,spa(,|$)/.test(route) ? `${route},spa` : route;
}

function refuseLonely(flags: Flags, listen: string | undefined): undefined {
  if (listen !== undefined) {
    throw new UsageError('no-route', `--http ${quoted(listen)} needs to know where requests go`, {
      hint: ["Give routes, as in -r '/api/*=~/api/app.sock' -r '/=./webroot', or --caddyfile"],
    });
  }
  const lonely = httpFlags.find((name) => isGiven(flags, name));
  if (lonely === undefined) return undefined;
  throw new UsageError('no-route', `--${lonely} is for a reverse proxy, and there is none`, {
    hint: ['Give routes with -r, or a Caddyfile with --caddyfile'],
  });
}

function isGiven(flags: Flags, name: (typeof httpFlags)[number]): boolean {
  return flags[name] !== undefined && flags[name] !== false;
}
