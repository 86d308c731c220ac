import type { FoundPort, FoundSocket, Scan } from '../../discover/scan/found.ts';
import { ADMIN, findCaddy } from '../../discover/scan/caddy-admin.ts';
import { listenPort, type CaddySite } from '../../discover/scan/caddy-config.ts';
import { keepSpecs } from '../../config/spec-cache.ts';
import { UsageError, type TunnelError } from '../../errors.ts';
import { parseSpec } from '../../parse-spec.ts';
import { sessionName } from '../../session/control/socket.ts';
import { planSession } from '../../session/plan.ts';
import type { RememberedAnswers } from '../../session/remembered-answers.ts';
import { shellWord } from '../../shell-word.ts';
import type { SshConnection } from '../../ssh/connection.ts';
import { BEFORE_COLUMNS, choose } from '../choose.ts';
import type { OpenCommand } from '../command.ts';
import type { Screens } from '../output/output.ts';
import { table } from '../output/scan-lines.ts';
import { canRedraw, columnsOf, painter } from '../output/screen.ts';
import type { StopSignals } from '../signals.ts';
import { scanOver, usableSpecs } from './scan.ts';
import { visiting } from './visiting.ts';

/** Ports below are root's to listen on, so that a site there is opened on another one here. */
const FIRST_FREE_PORT = 1024;

type Offer = { readonly specs: readonly string[] } | { readonly scan: Scan };

/**
 * The same command, with what to open on a host for which nothing is named and nothing configured: what its Caddy
 * serves, else what the person chooses of what listens there. Fulfils with an exit status after a signal; throws a
 * `UsageError` (`nothing-to-open`) with what could be typed where nobody can choose, and what connecting throws.
 */
export async function withForwards(
  command: OpenCommand,
  screens: Screens,
  { stop, answers }: { readonly stop: StopSignals; readonly answers: RememberedAnswers },
): Promise<OpenCommand | number> {
  const nothing = await whyNothing(command, stop.first);
  if (nothing === undefined) return command;
  const visit = await visiting(command, screens, askHost, { stop, answers });
  if ('status' in visit) return visit.status;
  const { result: offer } = visit;
  const { stderr } = screens;
  if ('specs' in offer) {
    if (!command.quiet) stderr.write(`What Caddy serves there: ${offer.specs.join(' ')}\n`);
    return { ...command, forwards: offer.specs.map((spec) => parseSpec(spec)) };
  }
  keepSpecs(sessionName(command.destination, command.ssh), usableSpecs(offer.scan));
  const chosen = await pick(offer.scan, command, screens, nothing);
  return { ...command, forwards: chosen.map((spec) => parseSpec(spec)) };
}

/** The error of a session that would have nothing to open; undefined if it has something. */
async function whyNothing(
  { destination, ssh: flags, transport }: OpenCommand,
  signal: AbortSignal,
): Promise<TunnelError | undefined> {
  try {
    await planSession({ destination, flags, transport, signal });
    return undefined;
  } catch (error) {
    if (error instanceof UsageError && error.code === 'nothing-to-open') return error;
    throw error;
  }
}

/** Caddy's usual place first: it answers in one round trip. */
async function askHost(connection: SshConnection, signal: AbortSignal): Promise<Offer> {
  const caddy = await findCaddy((endpoint, abort) => connection.dial(endpoint, abort), [ADMIN], signal);
  const served = siteSpecs(caddy?.sites ?? []);
  if (served.length > 0) return { specs: served };
  const scan = await scanOver(connection, { signal });
  const sites = scan.ports.filter(({ caddy: notes }) => notes.some((note) => /^site\b/.test(note)));
  return sites.length > 0 ? { specs: sites.map(({ port }) => siteSpec(port)) } : { scan };
}

/** `:8081` as `8081`. */
export function siteSpecs(sites: readonly CaddySite[]): string[] {
  const ports = sites.flatMap(({ listen }) => listen.map((text) => listenPort(text)?.port));
  return [...new Set(ports)].filter((port) => port !== undefined).map(siteSpec);
}

function siteSpec(port: number): string {
  return port < FIRST_FREE_PORT ? `auto:${port}` : String(port);
}

async function pick(
  scan: Scan,
  { destination: { host }, json, quiet }: OpenCommand,
  { stderr }: Screens,
  nothing: TunnelError,
): Promise<readonly string[]> {
  const usable: readonly (FoundPort | FoundSocket)[] = [...scan.ports, ...scan.sockets].filter(
    ({ access, system }) => access !== 'no' && !system,
  );
  const example = usable.slice(0, 5).map(({ spec }) => shellWord(spec));
  if (usable.length === 0 || json || quiet || !process.stdin.isTTY || !canRedraw(stderr)) {
    throw new UsageError('nothing-to-open', nothing.message, {
      hint: [
        ...(usable.length === 0
          ? [`Nothing that you may connect to was found there. All of it: tunnel scan --all ${host}`]
          : [
              `What listens there could be opened: tunnel ${host} ${example.join(' ')}`,
              `All of it: tunnel scan ${host}`,
            ]),
        ...nothing.hint.slice(1),
      ],
    });
  }
  const lines = table(usable, columnsOf(stderr) - BEFORE_COLUMNS, painter(stderr));
  const chosen = await choose(`What is to be opened on ${host}?`, lines, {
    input: process.stdin,
    output: stderr,
  });
  if (chosen === undefined || chosen.length === 0) {
    throw new UsageError('nothing-to-open', `Nothing was chosen of what listens on ${host}`, {
      hint: [`Name what to open: tunnel ${host} ${example.slice(0, 2).join(' ')}`],
    });
  }
  const specs = chosen.flatMap((index) => usable[index]?.spec ?? []);
  stderr.write(`The next time: tunnel ${host} ${specs.map(shellWord).join(' ')}\n`);
  return specs;
}
