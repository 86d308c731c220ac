import type { IncomingMessage } from 'node:http';
import { isAbsolute } from 'node:path';
import { quoted } from '../../endpoint.ts';
import { UsageError } from '../../errors.ts';
import type { ForwardSpec } from '../../spec.ts';
import { readHttpPlace, relativePlace } from '../http-spec.ts';
import { readSpec } from '../report.ts';

/** More than any request of ours needs. */
const MAX_BODY_BYTES = 64 * 1024;
const MAX_FORWARDS = 100;
const MAX_GRACE_MS = 60_000;

/** A request that is larger than any that makes sense. */
export class TooLargeError extends UsageError {}

export interface ForwardsRequest {
  readonly forwards: readonly ForwardSpec[];
  readonly lease?: string;
}

export interface StopRequest {
  readonly graceMs?: number;
}

/** Reads a JSON body; an empty one is an empty object. Throws a `UsageError` or a `TooLargeError`. */
export async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) {
      throw new TooLargeError('too-large', `A request has at most ${MAX_BODY_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString();
  if (text.trim() === '') return {};
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw bad('The body is not JSON', cause);
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw bad('The body is not a JSON object');
  return body as Record<string, unknown>;
}

/** `{ "forwards": [{ "spec": "8081" }, { "kind": "remote", "spec": "9000:localhost:3000" }], "lease": "…" }` */
export function readForwardsRequest(body: Record<string, unknown>): ForwardsRequest {
  return readRequest(body, readSpec);
}

/** The same; a reverse proxy needs no routes to be named. */
export function readCancelRequest(body: Record<string, unknown>): ForwardsRequest {
  return readRequest(body, (kind, spec, fields) =>
    kind === 'http' ? readHttpPlace(spec, fields) : readSpec(kind, spec),
  );
}

type ReadItem = (kind: ForwardSpec['kind'], spec: string, fields: Record<string, unknown>) => ForwardSpec;

function readRequest(body: Record<string, unknown>, readItem: ReadItem): ForwardsRequest {
  const { forwards, lease, ...others } = body;
  refuseOthers(others, '');
  if (!Array.isArray(forwards) || forwards.length === 0 || forwards.length > MAX_FORWARDS) {
    throw bad(`forwards: this is to be a list of 1 to ${MAX_FORWARDS} forwards`);
  }
  if (lease !== undefined && typeof lease !== 'string') throw bad('lease: this is to be a text');
  return {
    forwards: forwards.map((item, index) => readForwardItem(item, index, readItem)),
    ...(lease !== undefined && { lease }),
  };
}

/** For what takes no fields. */
export function readNothing(body: Record<string, unknown>): void {
  refuseOthers(body, '');
}

export function readStopRequest(body: Record<string, unknown>): StopRequest {
  const { graceMs, ...others } = body;
  refuseOthers(others, '');
  if (graceMs === undefined) return {};
  if (typeof graceMs !== 'number' || !Number.isInteger(graceMs) || graceMs < 0 || graceMs > MAX_GRACE_MS) {
    throw bad(`graceMs: this is to be a whole number from 0 to ${MAX_GRACE_MS}`);
  }
  return { graceMs };
}

function readForwardItem(item: unknown, index: number, readItem: ReadItem): ForwardSpec {
  const path = `forwards[${index}]`;
  if (typeof item !== 'object' || item === null) throw bad(`${path}: this is to be an object with a spec`);
  const { kind = 'local', spec, ...others } = item as Record<string, unknown>;
  if (kind !== 'local' && kind !== 'remote' && kind !== 'dynamic' && kind !== 'http') {
    throw bad(`${path}.kind: this is to be local, remote, dynamic or http`);
  }
  if (kind !== 'http') refuseOthers(others, `${path}.`);
  if (typeof spec !== 'string') throw bad(`${path}.spec: this is to be a text, as after ssh's letter`);
  const parsed = readItem(kind, spec, others);
  refuseRelativePath(parsed, `${path}.spec`);
  return parsed;
}

/** The session has another working directory than whoever asks. */
function refuseRelativePath(spec: ForwardSpec, path: string): void {
  if (spec.kind === 'http') {
    const relative = relativePlace(spec);
    if (relative === undefined) return;
    throw bad(`${path}: a path of this machine is to be absolute, and ${quoted(relative)} is not`);
  }
  const here = spec.kind === 'remote' ? spec.connect : spec.listen;
  if (here === 'socks' || here.kind !== 'unix' || isAbsolute(here.path)) return;
  throw bad(`${path}: the path of a socket here is to be absolute, and ${quoted(here.path)} is not`);
}

function refuseOthers(others: Record<string, unknown>, path: string): void {
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw bad(`${path}${unknown}: there is no such field`);
}

function bad(message: string, cause?: unknown): UsageError {
  return new UsageError('bad-request', message, cause === undefined ? {} : { cause });
}
