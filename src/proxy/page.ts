import type { IncomingMessage, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import { printable } from '../printable.ts';

/** What is told instead of an upstream's answer. */
export interface Notice {
  readonly status: number;
  readonly code: string;
  readonly why: string;
  readonly hint: readonly string[];
  readonly route?: string | undefined;
  readonly upstream?: string | undefined;
  /** Asked again after so many seconds, by the page itself. */
  readonly retryAfter?: number | undefined;
  /** What could be asked for instead. */
  readonly routes?: readonly string[];
}

/** A page for people, JSON for who asks for JSON, and lines of text for the rest: curl says that it takes anything. */
export function renderNotice(
  notice: Notice,
  accept: string,
): { readonly type: string; readonly body: string } {
  switch (preferred(accept)) {
    case 'html':
      return { type: 'text/html; charset=utf-8', body: toHtml(notice) };
    case 'json':
      return { type: 'application/json', body: toJson(notice) };
    case 'text':
      return { type: 'text/plain; charset=utf-8', body: toText(notice) };
  }
}

/** Answers with a notice. What an upstream's answer would have been must not be cached in its place. */
export function sendNotice(request: IncomingMessage, response: ServerResponse, notice: Notice): void {
  const { type, body } = renderNotice(notice, request.headers.accept ?? '');
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  response.statusCode = notice.status;
  response.setHeader('Content-Type', type);
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'");
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Tunnel-Error', notice.code);
  if (notice.retryAfter !== undefined) response.setHeader('Retry-After', notice.retryAfter);
  if (notice.status === 405) response.setHeader('Allow', 'GET, HEAD');
  response.end(body);
}

function preferred(accept: string): 'html' | 'json' | 'text' {
  for (const [range = '', ...parameters] of accept.split(',').map((part) => part.split(';'))) {
    if (parameters.some((parameter) => /^\s*q=0(?:\.0*)?\s*$/.test(parameter))) continue;
    const type = range.trim().toLowerCase();
    if (type === 'text/html' || type === 'application/xhtml+xml') return 'html';
    if (/^application\/(?:.+\+)?json$/.test(type)) return 'json';
  }
  return 'text';
}

function toJson({ status, code, why, hint, route, upstream, routes, retryAfter }: Notice): string {
  return `${JSON.stringify({ status, code, error: why, hint, route, upstream, routes, retryAfter })}\n`;
}

function toText(notice: Notice): string {
  const lines = [
    titleOf(notice),
    notice.why,
    ...notice.hint,
    ...facts(notice).map(([name, value]) => `${name}: ${value}`),
  ];
  const routes =
    notice.routes === undefined ? [] : ['Routes:', ...notice.routes.map((route) => `  ${route}`)];
  return [...lines, ...routes].map((line) => `${printable(line)}\n`).join('');
}

function titleOf({ status }: Notice): string {
  return `${status} ${STATUS_CODES[status] ?? ''}`.trim();
}

function facts({ route, upstream }: Notice): readonly (readonly [string, string])[] {
  return [
    ...(route === undefined ? [] : ([['Route', route]] as const)),
    ...(upstream === undefined ? [] : ([['Upstream', upstream]] as const)),
  ];
}

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 42rem; margin: 12vh auto; padding: 0 1.5rem; }
h1 { font-size: 1.1rem; font-weight: 600; opacity: 0.65; margin: 0; }
h2 { font-size: 1.5rem; line-height: 1.3; margin: 0.25rem 0 1rem; overflow-wrap: anywhere; }
p, li { margin: 0.25rem 0; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 0.25rem 1rem; margin: 1.5rem 0; }
dt { opacity: 0.65; } dd { margin: 0; overflow-wrap: anywhere; }
code, dd { font-family: ui-monospace, monospace; font-size: 0.9em; }
footer { margin-top: 2rem; font-size: 0.85rem; opacity: 0.65; }
`;

function toHtml(notice: Notice): string {
  const { why, hint, retryAfter, routes, code } = notice;
  const title = escapeHtml(titleOf(notice));
  const parts = [
    `<h1>${title}</h1>`,
    `<h2>${escapeHtml(why)}</h2>`,
    ...hint.map((line) => `<p>${escapeHtml(line)}</p>`),
    list(facts(notice)),
    routes === undefined
      ? ''
      : `<p>Routes:</p><ul>${routes.map((route) => `<li><code>${escapeHtml(route)}</code></li>`).join('')}</ul>`,
    retryAfter === undefined ? '' : `<p>This page tries again every ${retryAfter} s.</p>`,
    `<footer>tunnel · ${escapeHtml(code)}</footer>`,
  ];
  const refresh = retryAfter === undefined ? '' : `<meta http-equiv="refresh" content="${retryAfter}">`;
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">${refresh}<title>${title}</title><style>${style}</style></head>
<body>
${parts.filter((part) => part !== '').join('\n')}
</body>
</html>
`;
}

function list(pairs: readonly (readonly [string, string])[]): string {
  if (pairs.length === 0) return '';
  return `<dl>${pairs.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`).join('')}</dl>`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return printable(text).replace(/[&<>"']/g, (letter) => entities[letter] ?? '');
}
