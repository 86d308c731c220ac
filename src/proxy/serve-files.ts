import { basename, dirname, isAbsolute } from 'node:path';
import { contentType } from 'mime-types';
import send from 'send';
import type { Decision } from './decide.ts';
import { findServed } from './files-found.ts';
import { cleanPath, matchesGlob } from './path.ts';
import type { FilesStep, Precompressed } from './rule.ts';
import type { Visit } from './visit.ts';

/** `sent`, or the status of what is left to the caller to tell. */
export type FilesResult = 'sent' | number;

interface Found {
  /** On the disk, links followed. */
  readonly path: string;
  /** As it is called in the URL: the one that its type is known by. */
  readonly name: string;
}

/**
 * Answers with a file: an index file for a folder, ranges and conditions as `send` (of Express) does them, and a
 * compressed neighbour where there is one. A path is checked with its links followed before `send` gets it.
 */
export async function serveFiles(visit: Visit, decision: Decision, step: FilesStep): Promise<FilesResult> {
  const { request } = visit;
  const root = step.folder ?? decision.root;
  if (root === undefined) return 404;
  const path = cleanPath(decision.request.path, true);
  const found = await findServed(root, path);
  const wanted = path.endsWith('/') || found?.kind !== 'folder' ? path : `${path}/`;
  const file = await findFile(root, wanted, step);
  if (file === undefined) {
    const isFile =
      path.length > 1 && path.endsWith('/') && (await findServed(root, path.slice(0, -1)))?.kind === 'file';
    return isFile ? redirect(visit, decision, path.slice(0, -1)) : 404;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return 405;
  if (isElsewhere(decision, wanted)) return redirect(visit, decision, wanted);
  return transfer(visit, await choose(visit, root, file, wanted, step));
}

/** Whether the client asked for it with a slash too many or too few. */
function isElsewhere({ request }: Decision, wanted: string): boolean {
  const original = cleanPath(request.original.path, true);
  // After a rewrite to another name the client's path says nothing about it.
  return basename(original) === basename(wanted) && original.endsWith('/') !== wanted.endsWith('/');
}

async function findFile(root: string, path: string, step: FilesStep): Promise<Found | undefined> {
  const names = path.endsWith('/')
    ? step.index.map((index) => `${path}${encodeURIComponent(index)}`)
    : [path];
  for (const name of names) {
    const found = await findServed(root, name);
    if (found?.kind === 'file' && !isHidden(found.path, step))
      return { path: found.path, name: basename(name) };
  }
  return undefined;
}

/** A pattern without a slash is of any part of the path, another one is the path or a folder above. */
function isHidden(path: string, { hide }: FilesStep): boolean {
  return hide.some((pattern) =>
    isAbsolute(pattern)
      ? path === pattern || path.startsWith(`${pattern}/`)
      : path.split('/').some((part) => matchesGlob(pattern, part)),
  );
}

/** To the path with or without the slash at its end, so that the page's relative links lead where they should. */
function redirect({ response }: Visit, { request }: Decision, path: string): FilesResult {
  const { original } = request;
  const cleaned = cleanPath(original.path, true);
  const slash = path.endsWith('/') ? '/' : '';
  const query = original.query === '' ? '' : `?${original.query}`;
  response.statusCode = 308;
  response.setHeader('Location', cleaned.replace(/\/$/, '') + slash + query);
  response.setHeader('Content-Length', 0);
  response.end();
  return 'sent';
}

interface Chosen extends Found {
  readonly encoding: Precompressed | undefined;
  readonly varies: boolean;
}

const suffixes: Readonly<Record<Precompressed, string>> = { br: '.br', gzip: '.gz', zstd: '.zst' };

async function choose(
  visit: Visit,
  root: string,
  file: Found,
  path: string,
  step: FilesStep,
): Promise<Chosen> {
  const { request } = visit;
  let varies = false;
  const url = path.endsWith('/') ? path + encodeURIComponent(file.name) : path;
  for (const encoding of step.precompressed) {
    const small = await findServed(root, url + suffixes[encoding]);
    if (small?.kind !== 'file') continue;
    varies = true;
    if (accepts(request.headers['accept-encoding'] ?? '', encoding)) {
      return { path: small.path, name: file.name, encoding, varies };
    }
  }
  return { ...file, encoding: undefined, varies };
}

function accepts(header: string, encoding: string): boolean {
  return header.split(',').some((part) => {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    return name === encoding && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
  });
}

function transfer({ request, response, notes }: Visit, file: Chosen): Promise<FilesResult> {
  const type = contentType(file.name.replace(/^.*\./, '.'));
  if (!response.hasHeader('Content-Type'))
    response.setHeader('Content-Type', type || 'application/octet-stream');
  if (file.varies) response.appendHeader('Vary', 'Accept-Encoding');
  if (file.encoding !== undefined) response.setHeader('Content-Encoding', file.encoding);
  return new Promise((resolve) => {
    response.once('close', () => resolve('sent'));
    // Hidden folders above the root are the person's own affair; what is below has been checked.
    send(request, encodeURIComponent(basename(file.path)), {
      root: dirname(file.path),
      dotfiles: 'allow',
      index: false,
      cacheControl: false,
    })
      .on('error', (error: Error & { readonly status?: number }) => {
        if (response.headersSent) response.destroy();
        else resolve(error.status ?? 500);
      })
      .on('stream', (stream: NodeJS.ReadableStream) => {
        stream.on('data', (chunk: Buffer) => (notes.bytesDown += chunk.length));
      })
      .pipe(response);
  });
}
