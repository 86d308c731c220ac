import { listenPort, type CaddySite } from './caddy-config.ts';
import type { FoundPort, FoundSocket } from './found.ts';

/** What is written beside a port or socket about Caddy's sites. */
const MOST_NOTES = 5;

/** The same ports, with the sites that each is and the routes that lead to it. */
export function withCaddyPorts(ports: readonly FoundPort[], sites: readonly CaddySite[]): FoundPort[] {
  return ports.map((found) => {
    const own = sites.filter(({ listen }) => listen.some((text) => listenPort(text)?.port === found.port));
    const isSite = own.length > 0 && (found.process === undefined || found.process.name === 'caddy');
    const names = own.flatMap(({ hosts }) => hosts);
    const notes = [
      ...(isSite ? [names.length > 0 ? `site ${names.join(', ')}` : 'site'] : []),
      ...leading(sites, (upstream) => upstreamPort(upstream) === found.port),
    ];
    return { ...found, caddy: notes.slice(0, MOST_NOTES) };
  });
}

/** The same sockets, with the routes that lead to each. A relative upstream may be meant for any with that name. */
export function withCaddySockets(
  sockets: readonly FoundSocket[],
  sites: readonly CaddySite[],
): FoundSocket[] {
  return sockets.map((found) => {
    const alike = (relative: string): FoundSocket[] =>
      sockets.filter(({ path }) => path.endsWith(`/${relative}`));
    const exact = leading(sites, (upstream) => socketOf(upstream) === found.path);
    const guessed = leading(sites, (upstream) => {
      const path = socketOf(upstream);
      return (
        path !== undefined &&
        !path.startsWith('/') &&
        found.path.endsWith(`/${path}`) &&
        alike(path).length === 1
      );
    });
    const maybe = leading(sites, (upstream) => {
      const path = socketOf(upstream);
      return (
        path !== undefined &&
        !path.startsWith('/') &&
        found.path.endsWith(`/${path}`) &&
        alike(path).length > 1
      );
    }).map((note) => `${note}?`);
    return { ...found, caddy: [...exact, ...guessed, ...maybe].slice(0, MOST_NOTES) };
  });
}

/** The path of an upstream that is a socket: `unix//srv/app.sock`, `unix/app.sock`. */
export function socketOf(upstream: string): string | undefined {
  const path = /^unix(?:\+h2c)?\/(.+)$/.exec(upstream)?.[1];
  return path?.replace(/^\.\//, '');
}

/** The port of an upstream that is on the same machine. */
export function upstreamPort(upstream: string): number | undefined {
  const { address, port } = listenPort(upstream) ?? {};
  const isHere =
    address === '*' || address === 'localhost' || address === '::1' || address?.startsWith('127.');
  return isHere ? port : undefined;
}

function leading(sites: readonly CaddySite[], isMeant: (upstream: string) => boolean): string[] {
  const notes = sites.flatMap(({ listen, routes }) =>
    routes
      .filter(({ upstream }) => isMeant(upstream))
      .map(({ hosts, path }) => `${place(listen, hosts)}${path === '/' ? '' : ` ${path}`}`),
  );
  return [...new Set(notes)];
}

/** A site by its name, else by where it listens. */
function place(listen: readonly string[], [host]: readonly string[]): string {
  if (host !== undefined) return host;
  const port = listen.map((text) => listenPort(text)?.port).find((found) => found !== undefined);
  return port === undefined ? (listen[0] ?? '') : `:${port}`;
}
