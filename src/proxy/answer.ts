import type { ServerResponse } from 'node:http';
import compression from 'compression';
import onHeaders from 'on-headers';
import { setFields } from './answer-header.ts';
import type { Decision } from './decide.ts';
import { forwardRequest, type ForwardContext } from './forward-request.ts';
import type { Field } from './header-fields.ts';
import { applyHeaderOps } from './header-ops.ts';
import { expand } from './placeholders.ts';
import type { Encoding, HeaderOps, RespondStep } from './rule.ts';
import { type FilesResult, serveFiles } from './serve-files.ts';
import type { Visit } from './visit.ts';

/** Does what was decided; a number is the status of what is left to the caller to tell. Rejects as `forwardRequest` does. */
export async function answer(
  visit: Visit,
  decision: Decision,
  context: ForwardContext,
): Promise<FilesResult> {
  const { terminal } = decision;
  const { response } = visit;
  if (visit.upgrade === undefined) compress(visit, decision.encodings);
  decorate(response, decision);
  switch (terminal.do) {
    case 'proxy':
      await forwardRequest(visit, decision, terminal, context);
      return 'sent';
    case 'files':
      return serveFiles(visit, decision, terminal);
    case 'respond':
      respond(visit, decision, terminal);
      return 'sent';
  }
}

/** `header` directives: before the answer's own header is known, or after. */
function decorate(response: ServerResponse, { headers, request }: Decision): void {
  const apply = (ops: readonly HeaderOps[]): void => {
    const before = fieldsOf(response);
    const after = ops.reduce(
      (fields, op) => applyHeaderOps(fields, op, (text) => expand(text, request)),
      before,
    );
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    setFields(response, after);
  };
  const now = headers.filter(({ deferred }) => deferred !== true);
  const later = headers.filter(({ deferred }) => deferred === true);
  if (now.length > 0) apply(now);
  if (later.length > 0) onHeaders(response, () => apply(later));
}

function fieldsOf(response: ServerResponse): Field[] {
  return Object.entries(response.getHeaders()).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [String(value)]).map((one) => [name, one] as const),
  );
}

/** `encode`. An event stream is left alone: what waits for a block to be full does not arrive. */
function compress({ request, response }: Visit, encodings: readonly Encoding[]): void {
  const offered = encodings.filter((encoding) => encoding === 'gzip' || encoding === 'br');
  if (offered.length === 0) return;
  const accepted = request.headers['accept-encoding'] ?? '';
  // It negotiates by the request's field alone, which the upstream has its own copy of.
  const allowed = accepted.split(',').filter((part) => offered.some((name) => part.trim().startsWith(name)));
  const view = Object.create(request, {
    headers: { value: { ...request.headers, 'accept-encoding': allowed.join(',') } },
  });
  compression({
    threshold: 512,
    filter: (_, res) =>
      !String(res.getHeader('content-type')).startsWith('text/event-stream') && compression.filter(view, res),
  })(view, response as Parameters<ReturnType<typeof compression>>[1], () => {});
}

function respond({ request, response, notes }: Visit, decision: Decision, step: RespondStep): void {
  const fill = (text: string): string => expand(text, decision.request);
  const body = fill(step.body);
  response.statusCode = step.status;
  setFields(response, applyHeaderOps([], { set: step.headers }, fill));
  if (body !== '' && !response.hasHeader('Content-Type')) {
    response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  }
  response.setHeader('Content-Length', Buffer.byteLength(body));
  notes.bytesDown += Buffer.byteLength(body);
  response.end(request.method === 'HEAD' ? undefined : body);
}
