import { formatEndpoint } from '../endpoint.ts';
import { TunnelError } from '../errors.ts';
import { parseDynamicSpec, parseRemoteSpec, parseSpec } from '../parse-spec.ts';
import { formatListen, formatSpec, type ForwardSpec } from '../spec.ts';
import type { ForwardView, SessionEvent } from './events.ts';
import { httpFields, readHttpSpec, type HttpFields } from './http-spec.ts';
import { localUrl } from './labels.ts';

/** A forward as `--json` and the control API show it; a reverse proxy has its routes as well. */
export interface ForwardReport extends Partial<HttpFields> {
  readonly kind: ForwardSpec['kind'];
  /** As it is typed after its letter. */
  readonly spec: string;
  /** Addresses, or the socket's path. */
  readonly listen: readonly string[];
  /** `socks` for a SOCKS proxy there; absent for one here. */
  readonly connect?: string;
  readonly url?: string;
  readonly open: number;
  readonly total: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

export interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly hint: readonly string[];
  readonly exitStatus: number;
}

/** An event as one line of JSON. */
export type EventReport = { readonly event: SessionEvent['type']; readonly time: string } & Readonly<
  Record<string, unknown>
>;

export function forwardReport(forward: ForwardView): ForwardReport {
  const { spec, bound, open, total, bytesUp, bytesDown } = forward;
  const url = localUrl(forward);
  return {
    kind: spec.kind,
    spec: formatSpec(spec),
    listen: bound.map(formatListen),
    ...target(spec),
    ...(url !== undefined && { url }),
    open,
    total,
    bytesUp,
    bytesDown,
  };
}

/** Where it goes: for a reverse proxy, everything that is needed to open it again. */
function target(spec: ForwardSpec): Pick<ForwardReport, 'connect'> & Partial<HttpFields> {
  if (spec.kind === 'dynamic') return {};
  if (spec.kind === 'http') return httpFields(spec);
  return { connect: spec.connect === 'socks' ? 'socks' : formatEndpoint(spec.connect) };
}

export function errorReport({ code, message, hint, exitStatus }: TunnelError): ErrorReport {
  return { code, message, hint, exitStatus };
}

export function eventReport(event: SessionEvent): EventReport {
  return { event: event.type, time: new Date().toISOString(), ...fields(event) };
}

function fields(event: SessionEvent): object {
  switch (event.type) {
    case 'connecting':
      return { host: event.host, phase: event.phase };
    case 'ready':
      return { host: event.host, user: event.user, address: event.address, via: event.via };
    case 'via':
      return { host: event.host, via: event.via, reason: event.reason, tookMs: Math.round(event.tookMs) };
    case 'waiting':
      return { host: event.host, retryInMs: event.retryInMs, error: errorReport(event.error) };
    case 'forward':
    case 'cancelled':
      return forwardReport(event.forward);
    case 'connection':
      return { state: event.state, ...forwardReport(event.forward) };
    case 'request':
      return { ...forwardReport(event.forward), request: event.request };
    case 'warning':
    case 'debug':
      return { message: event.message };
    case 'error':
      return { ...forwardReport(event.forward), error: errorReport(event.error) };
    case 'closed':
      return { host: event.host, ...(event.error && { error: errorReport(event.error) }) };
  }
}

/** An error of another process: everything about it but its class and its cause. */
export class ReportedError extends TunnelError {
  readonly exitStatus: number;

  constructor({ code, message, hint, exitStatus }: ErrorReport) {
    super(code, message, { hint });
    this.exitStatus = exitStatus;
  }
}

/** The event that a line of ours was made from. Lines are written by the same version of this program. */
export function readEvent(report: EventReport): SessionEvent {
  const { event: type, time: _time, ...rest } = report;
  const error = rest['error'] === undefined ? {} : { error: new ReportedError(rest['error'] as ErrorReport) };
  const forward = 'spec' in rest ? { forward: readForward(rest as unknown as ForwardReport) } : {};
  return { type, ...rest, ...forward, ...error } as unknown as SessionEvent;
}

export function readForward(report: ForwardReport): ForwardView {
  const {
    kind,
    spec,
    listen,
    connect: _connect,
    url: _url,
    open,
    total,
    bytesUp,
    bytesDown,
    ...http
  } = report;
  return {
    spec: readSpec(kind, spec, onlyHttp(http)),
    bound: listen.map((text) => parseDynamicSpec(text).listen),
    open,
    total,
    bytesUp,
    bytesDown,
  };
}

/** An event has more fields than those of its forward. */
function onlyHttp({ routes, caddyfile, as, allowHosts, allowOrigins, log }: Partial<HttpFields>): object {
  return JSON.parse(JSON.stringify({ routes, caddyfile, as, allowHosts, allowOrigins, log })) as object;
}

/** `fields` are what a reverse proxy has besides. Throws a `UsageError` (`bad-spec`, `bad-http`, `bad-route`). */
export function readSpec(kind: ForwardSpec['kind'], text: string, fields: object = {}): ForwardSpec {
  switch (kind) {
    case 'local':
      return parseSpec(text);
    case 'remote':
      return parseRemoteSpec(text);
    case 'dynamic':
      return parseDynamicSpec(text);
    case 'http':
      return readHttpSpec(text, { ...fields });
  }
}
