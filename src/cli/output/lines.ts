import type { ForwardView } from '../../session/events.ts';
import type { SessionEvent } from '../../session/events.ts';
import type { AccessRecord } from '../../proxy/access-record.ts';
import type { Traffic } from '../../session/session.ts';
import { formatBytes, formatDuration, formatSeconds } from '../format.ts';
import { connectLabel, listenLabel, onEveryInterface } from '../../session/labels.ts';
import { printable } from '../../printable.ts';
import { marks } from './marks.ts';
import type { Paint } from './screen.ts';

/** Parts of a line, with a dot between two. */
export function separated(parts: readonly string[]): string[] {
  return parts.map((part, index) => (index < parts.length - 1 ? `${part} ${marks.and}` : part));
}

/** `✖ message`, and the hints below it. */
export function errorLines(
  error: { readonly message: string; readonly hint: readonly string[] },
  paint: Paint,
): string[] {
  const hints = error.hint.map((line) => `  ${printable(line)}`);
  return [`${paint('red', marks.failed)} ${printable(error.message)}`, ...hints];
}

/** The same error again, counted. */
export function repeatedErrorLine(error: { readonly message: string }, times: number, paint: Paint): string {
  return `${paint('red', marks.failed)} ${printable(error.message)} ${paint('dim', `(${times} more ${times === 1 ? 'time' : 'times'})`)}`;
}

/** `● vps  deploy@203.0.113.9:22` */
export function readyLine(event: SessionEvent & { type: 'ready' }, paint: Paint): string {
  const account = paint('dim', printable(`${event.user}@${event.address}`));
  const way = event.via === 'wireguard' ? ` ${paint('dim', 'via wireguard')}` : '';
  return `${paint('green', marks.ready)} ${paint('bold', printable(event.host))}  ${account}${way}`;
}

/** `◆ vps  via ssh: no route to 10.0.0.1 (took 0.3 s)` */
export function viaLine(event: SessionEvent & { type: 'via' }, paint: Paint): string {
  const why = printable(`${event.reason} (took ${formatSeconds(event.tookMs)})`);
  return `${paint('cyan', marks.way)} ${paint('bold', printable(event.host))}  via ${event.via}: ${why}`;
}

/** `○ vps  The connection … is lost; next try in 4 s` */
export function waitingLine(event: SessionEvent & { type: 'waiting' }, paint: Paint): string {
  const when = `next try in ${formatSeconds(event.retryInMs)}`;
  return `${paint('yellow', marks.waiting)} ${paint('bold', printable(event.host))}  ${printable(event.error.message)}; ${when}`;
}

/** `http://localhost:8081 → localhost:8081` */
export function forwardLine(forward: ForwardView, paint: Paint): string {
  return forwardPieces(forward, paint).join(' ');
}

/** What a narrow terminal may show in several lines. */
export function forwardPieces(forward: ForwardView, paint: Paint): string[] {
  return [
    paint('cyan', printable(listenLabel(forward))),
    `${paint('dim', marks.to)} ${printable(connectLabel(forward))}`,
    ...(onEveryInterface(forward) ? [paint('yellow', '(on every interface)')] : []),
  ];
}

/**
 * `2 open · 15 total · ↑ 1.2 MB (3.1 kB/s) · ↓ 40 MB (1.1 MB/s) · up 3m 12s`; rates are bytes a second. Where that is
 * too long `2 open ↑1.2 MB ↓40 MB 1.1 MB/s 3m`, with one rate for both ways.
 */
export function trafficLine(
  traffic: Traffic,
  rate: { up: number; down: number },
  uptimeMs: number,
  columns: number,
): string {
  const [up, down] = [formatBytes(traffic.bytesUp), formatBytes(traffic.bytesDown)];
  const uptime = formatDuration(uptimeMs);
  const long = [
    `${traffic.open} open`,
    `${traffic.total} total`,
    `${marks.up} ${up} (${formatBytes(rate.up)}/s)`,
    `${marks.down} ${down} (${formatBytes(rate.down)}/s)`,
    `up ${uptime}`,
  ].join(` ${marks.and} `);
  if (long.length <= columns) return long;
  const both = formatBytes(rate.up + rate.down);
  return `${traffic.open} open ${marks.up}${up} ${marks.down}${down} ${both}/s ${uptime.replace(/ .*/, '')}`;
}

/** `GET /api/x 200 41ms (open 18 · app 22) 1.2 kB → ~/api/app.sock` */
export function requestLine(request: AccessRecord, paint: Paint): string {
  const { method, path, query, status, durationMs, openMs, appMs, bytesDown, upstream, error } = request;
  const times = [
    ...(openMs === undefined ? [] : [`open ${Math.round(openMs)}`]),
    ...(appMs === undefined ? [] : [`app ${Math.round(appMs)}`]),
  ];
  const target = query === undefined ? path : `${path}?${query}`;
  return [
    printable(`${method} ${target}`),
    paint(status >= 500 ? 'red' : status >= 400 ? 'yellow' : 'green', String(status)),
    `${Math.round(durationMs)}ms`,
    ...(times.length === 0 ? [] : [paint('dim', `(${times.join(` ${marks.and} `)})`)]),
    formatBytes(bytesDown),
    ...(upstream === undefined ? [] : [`${marks.to} ${printable(upstream)}`]),
    ...(error === undefined ? [] : [paint('red', printable(error))]),
  ].join(' ');
}

/** What the live line says while there is no connection. */
export function retryLine(inMs: number): string {
  return inMs <= 0 ? 'Connecting again' : `Next try in ${formatSeconds(inMs)} (Enter: now)`;
}
