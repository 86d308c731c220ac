import type { UsageError } from '../../errors.ts';
import { prefixOf } from '../path.ts';
import type { Matcher, Rule, Step } from '../rule.ts';
import type { Directive } from './blocks.ts';
import { headerLines, toHeaderOps } from './header-ops.ts';
import { toFilesStep, toProxyStep } from './handlers.ts';
import type { Scope } from './scope.ts';

/** What a directive needs to become rules. */
export interface Place {
  readonly scope: Scope;
  readonly refuse: (line: number, why: string) => UsageError;
  /** The condition of the directive. */
  readonly match: readonly Matcher[];
  /** The rules of a block: sorted as Caddy does, or in their order. */
  readonly rulesOf: (directive: Directive, sorted: boolean) => readonly Rule[];
}

/** The arguments without the matcher that may stand in front of them. */
type Adapter = (directive: Directive, args: readonly string[], place: Place) => readonly Rule[];

/** In the order in which Caddy takes them, wherever they stand in a block. */
export const directives: Readonly<Record<string, Adapter>> = {
  root: (directive, args, place) => {
    const [folder] = exactly(directive, args, 1, place);
    return one(place, { do: 'root', folder: place.scope.folder(template(directive, folder, place)) });
  },
  header: (directive, args, place) => {
    const [field, ...values] = args;
    const lines = field === undefined ? [] : [{ line: directive.line, field, values }];
    const inner = headerLines(directive.block ?? []);
    const ops = toHeaderOps(filled([...lines, ...inner.lines], place), place.refuse);
    const { fallback, ...rest } = ops;
    const deferred = inner.defer || ops.deferred === true;
    // Caddy makes a step of its own of each field that is only a fallback.
    const steps: Step[] = (fallback ?? []).map((pair) => ({
      do: 'headers',
      ops: { fallback: [pair], deferred: true },
    }));
    const others = Object.keys(rest).some((key) => key !== 'deferred');
    if (others) steps.unshift({ do: 'headers', ops: { ...rest, ...(deferred ? { deferred } : {}) } });
    return one(place, ...steps);
  },
  redir: (directive, args, place) => {
    const [to = '', code = '302'] = between(directive, args, 1, 2, place);
    const status = { permanent: 301, temporary: 302 }[code] ?? Number(code);
    if (!(status >= 300 && status <= 399))
      throw place.refuse(directive.line, `redir with ${code} is not supported`);
    const headers = [['Location', template(directive, to, place)]] as const;
    return one(place, { do: 'respond', status, body: '', headers });
  },
  rewrite: (directive, args, place) => {
    const [uri] = exactly(directive, args, 1, place);
    return one(place, { do: 'rewrite', uri: template(directive, uri, place) });
  },
  uri: (directive, args, place) => {
    const [what, prefix = ''] = exactly(directive, args, 2, place);
    if (what !== 'strip_prefix') throw place.refuse(directive.line, `uri ${what ?? ''} is not supported`);
    return one(place, { do: 'strip', prefix: prefix.startsWith('/') ? prefix : `/${prefix}` });
  },
  try_files: tryFiles,
  encode: (directive, args, place) => {
    noBlock(directive, place);
    const known = args.map((name) => {
      if (name === 'gzip' || name === 'zstd' || name === 'br') return name;
      throw place.refuse(directive.line, `encode ${name} is not supported`);
    });
    return one(place, { do: 'encode', encodings: known });
  },
  handle: (directive, args, place) => {
    exactly(directive, args, 0, place);
    return one(place, { do: 'rules', rules: place.rulesOf(directive, true) });
  },
  handle_path: (directive, args, place) => {
    exactly(directive, args, 0, place);
    const path = place.match[0]?.paths?.[0];
    if (path === undefined)
      throw place.refuse(directive.line, 'handle_path needs a path, as in handle_path /api/*');
    const strip: Rule = { match: [], steps: [{ do: 'strip', prefix: prefixOf(path) }] };
    return one(place, { do: 'rules', rules: [strip, ...place.rulesOf(directive, true)] });
  },
  route: (directive, args, place) => {
    exactly(directive, args, 0, place);
    return one(place, { do: 'rules', rules: place.rulesOf(directive, false) });
  },
  respond: (directive, args, place) => {
    const [first = '', second] = between(directive, args, 0, 2, place);
    const isStatus = second === undefined && /^\d{3}$/.test(first);
    const inner = Object.fromEntries(
      (directive.block ?? []).map(({ name, args }) => [name, args[0]?.text ?? '']),
    );
    const unknown = Object.keys(inner).find((name) => name !== 'body' && name !== 'close');
    if (unknown !== undefined) throw place.refuse(directive.line, `respond with ${unknown} is not supported`);
    const body = isStatus ? (inner['body'] ?? '') : (inner['body'] ?? first);
    const status = Number(isStatus ? first : (second ?? '200'));
    if (!(status >= 200 && status <= 599))
      throw place.refuse(directive.line, `${second ?? ''} is not a status`);
    return one(place, { do: 'respond', status, body: template(directive, body, place), headers: [] });
  },
  reverse_proxy: (directive, args, place) => one(place, toProxyStep(directive, args, place)),
  file_server: (directive, args, place) => one(place, toFilesStep(directive, args, place)),
};

/** Of no consequence here: what is served is plain HTTP on this machine, with a log of our own. */
export const ignored: readonly string[] = ['tls', 'log', 'bind'];

/** Of several in one block only the first that applies is taken. */
export const exclusive: readonly string[] = ['root', 'rewrite', 'handle'];

/** All but the last candidates as they are; one with a query is a rule of its own. */
function tryFiles(directive: Directive, args: readonly string[], place: Place): readonly Rule[] {
  noBlock(directive, place);
  between(directive, args, 1, Infinity, place);
  if (args.some((file) => file.startsWith('='))) {
    throw place.refuse(directive.line, 'try_files with a status is not supported');
  }
  const rules: Rule[] = [];
  let plain: string[] = [];
  const add = (files: readonly string[], query: string): void => {
    if (files.length === 0) return;
    const match = (place.match.length === 0 ? [{}] : place.match).map((matcher) => ({
      ...matcher,
      tryFiles: files,
    }));
    rules.push({
      match,
      steps: [{ do: 'rewrite', uri: `{http.matchers.file.relative}${query}` }],
      group: `try_files ${directive.line}`,
    });
  };
  for (const file of args) {
    const mark = file.indexOf('?');
    const path = template(directive, mark === -1 ? file : file.slice(0, mark), place);
    if (mark === -1) plain.push(path);
    else {
      add(plain, '');
      plain = [];
      add([path], template(directive, file.slice(mark), place));
    }
  }
  add(plain, '');
  return rules.length === 1 ? rules.map(({ match, steps }) => ({ match, steps })) : rules;
}

function one({ match }: Place, ...steps: readonly Step[]): readonly Rule[] {
  return [{ match, steps }];
}

function filled<T extends { readonly line: number; readonly values: readonly string[] }>(
  lines: readonly T[],
  { scope, refuse }: Place,
): readonly T[] {
  return lines.map((line) => ({
    ...line,
    values: line.values.map((value) => scope.template(value, (why) => refuse(line.line, why))),
  }));
}

function template({ line }: Directive, text: string | undefined, { scope, refuse }: Place): string {
  return scope.template(text ?? '', (why) => refuse(line, why));
}

function exactly(
  directive: Directive,
  args: readonly string[],
  count: number,
  place: Place,
): readonly string[] {
  return between(directive, args, count, count, place);
}

function between(
  { name, line }: Directive,
  args: readonly string[],
  least: number,
  most: number,
  { refuse }: Place,
): readonly string[] {
  if (args.length < least) throw refuse(line, `${name} needs more arguments`);
  if (args.length > most) throw refuse(line, `${name} with ${args.slice(most).join(' ')} is not supported`);
  return args;
}

function noBlock({ name, line, block }: Directive, { refuse }: Place): void {
  if (block !== undefined) throw refuse(line, `${name} with a block is not supported`);
}
