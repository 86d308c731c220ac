import { routeDown, type Route, type RouteDown } from './route.ts';
import type { Answer, Ask } from './system.ts';

/** What `ip -j route get` says, of what is read here. */
interface RouteJson {
  readonly type?: string;
  readonly dev?: string;
  readonly prefsrc?: string;
}

/** What `ip -j -d addr show` says, of what is read here. */
interface LinkJson {
  readonly ifname?: string;
  readonly flags?: readonly string[];
  readonly linkinfo?: { readonly info_kind?: string; readonly info_data?: { readonly type?: string } };
  readonly addr_info?: readonly { readonly local?: string }[];
}

/** See `checkRoute`. Asks the kernel with iproute2, whose JSON has been the same since it has any (4.15, 2018). */
export async function linuxRoute(address: string, wanted: string | undefined, ask: Ask): Promise<Route> {
  const answer = await ask('ip', '-j', 'route', 'get', address);
  if (answer.kind === 'missing')
    return routeDown('no-tool', 'the routes cannot be read without ip; install iproute2');
  if (answer.kind === 'failed') return await noRoute(address, wanted, answer.text, ask);
  const route: RouteJson | undefined = readFirst(answer);
  if (route?.dev === undefined) return unreadable();
  if (route.type === 'local')
    return routeDown('elsewhere', `${address} is an address of this machine itself`, address);
  const link = await readLink(route.dev, ask);
  if (link === undefined) return unreadable();
  return (
    judge(address, wanted, { ...route, dev: route.dev }, link) ??
    (await wrongLink(address, wanted, route.dev, ask))
  );
}

/** Up, or what is wrong with the interface that the route is through; undefined when it is another than the wanted one. */
export function judge(
  address: string,
  wanted: string | undefined,
  { dev, prefsrc: source }: RouteJson & { readonly dev: string },
  link: LinkJson,
): Route | undefined {
  if (wanted !== undefined && wanted !== dev) return undefined;
  const through = `the route to ${address} is through ${dev}`;
  const elsewhere = (why: string): RouteDown => routeDown('elsewhere', `${through}, ${why}`, address);
  const kind = link.linkinfo?.info_kind;
  const isTun = kind === 'tun' && link.linkinfo?.info_data?.type !== 'tap';
  if (kind !== 'wireguard' && !isTun) return elsewhere('which is not a WireGuard interface');
  // A tun device may be anybody's: OpenVPN's, another VPN's. Who made it cannot be seen, so its name must have been given.
  if (isTun && wanted === undefined)
    return elsewhere(`a tun device; if that is WireGuard, say so: ${address},interface=${dev}`);
  if (link.flags?.includes('UP') !== true) return elsewhere('which is down');
  const isOurs = link.addr_info?.some(({ local }) => local === source) === true;
  if (source === undefined || !isOurs) return elsewhere('which has no address of this machine to send from');
  return { up: true, address, interface: dev, source };
}

async function wrongLink(
  address: string,
  wanted: string | undefined,
  dev: string,
  ask: Ask,
): Promise<RouteDown> {
  const trouble = wanted === undefined ? undefined : await interfaceTrouble(wanted, ask);
  const reason = `the route to ${address} is through ${dev}${trouble === undefined ? `, not ${wanted}` : `: ${trouble}`}`;
  return routeDown('elsewhere', reason, address);
}

async function noRoute(
  address: string,
  wanted: string | undefined,
  complaint: string,
  ask: Ask,
): Promise<RouteDown> {
  // "RTNETLINK answers: Network is unreachable", and "No route to host" for a route of the type unreachable.
  if (/BusyBox|unrecognized option|"-j" is unknown/i.test(complaint)) return unreadable();
  if (!/unreachable|no route/i.test(complaint))
    return routeDown('unclear', `ip route get: ${complaint.split('\n')[0]}`, address);
  const trouble = wanted === undefined ? undefined : await interfaceTrouble(wanted, ask);
  return routeDown('no-route', trouble ?? `there is no route to ${address}`, address);
}

/** What is wrong with an interface that no route is through. */
async function interfaceTrouble(name: string, ask: Ask): Promise<string | undefined> {
  const answer = await ask('ip', '-j', '-d', 'addr', 'show', 'dev', name);
  if (answer.kind === 'failed') return `there is no interface ${name}`;
  const link: LinkJson | undefined = readFirst(answer);
  if (link === undefined) return undefined;
  return link.flags?.includes('UP') === true ? undefined : `the interface ${name} is down`;
}

async function readLink(dev: string, ask: Ask): Promise<LinkJson | undefined> {
  const link: LinkJson | undefined = readFirst(await ask('ip', '-j', '-d', 'addr', 'show', 'dev', dev));
  return link?.ifname === dev ? link : undefined;
}

/** The first of the list that each command prints. Empty objects stand for what was filtered out. */
function readFirst(answer: Answer): object | undefined {
  if (answer.kind !== 'output') return undefined;
  try {
    const list = JSON.parse(answer.text) as unknown;
    return Array.isArray(list) ? (list as object[]).find((one) => Object.keys(one).length > 0) : undefined;
  } catch {
    return undefined;
  }
}

function unreadable(): RouteDown {
  return routeDown('unclear', 'this ip does not say in JSON where the route leads; install iproute2');
}
