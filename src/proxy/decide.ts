import { findServed } from './files-found.ts';
import { matchesHost } from './host.ts';
import { matchesPath, stripPrefix } from './path.ts';
import { type Asked, type Current, expand } from './placeholders.ts';
import type { Encoding, HeaderOps, Matcher, Rule, Step, Terminal } from './rule.ts';

/** What is to be done with one request: found before anything is sent, and without touching it. */
export interface Decision {
  readonly terminal: Terminal;
  /** The request after the rewrites. */
  readonly request: Current;
  /** What was taken off the front of the path. */
  readonly prefix: string;
  /** Where the files are; without one there are none. */
  readonly root: string | undefined;
  readonly headers: readonly HeaderOps[];
  readonly encodings: readonly Encoding[];
  readonly name: string | undefined;
}

type Draft = { -readonly [key in keyof Omit<Decision, 'terminal'>]: Decision[key] };

/** Undefined where no rule answers. */
export async function decide(rules: readonly Rule[], asked: Asked): Promise<Decision | undefined> {
  const draft: Draft = {
    request: { ...asked, original: asked, relative: '' },
    prefix: '',
    root: undefined,
    headers: [],
    encodings: [],
    name: undefined,
  };
  const terminal = await walk(rules, draft);
  return terminal === undefined ? undefined : { ...draft, terminal };
}

async function walk(rules: readonly Rule[], draft: Draft): Promise<Terminal | undefined> {
  const taken = new Set<string>();
  for (const rule of rules) {
    if (rule.group !== undefined && taken.has(rule.group)) continue;
    if (!(await holds(rule.match, draft))) continue;
    if (rule.group !== undefined) taken.add(rule.group);
    draft.name = rule.name ?? draft.name;
    for (const step of rule.steps) {
      const terminal = await take(step, draft);
      if (terminal !== undefined) return terminal;
    }
  }
  return undefined;
}

async function take(step: Step, draft: Draft): Promise<Terminal | undefined> {
  switch (step.do) {
    case 'rules':
      return walk(step.rules, draft);
    case 'root':
      draft.root = step.folder;
      return undefined;
    case 'rewrite':
      draft.request = rewritten(draft.request, step.uri);
      return undefined;
    case 'strip':
      strip(draft, step.prefix);
      return undefined;
    case 'headers':
      draft.headers = [...draft.headers, step.ops];
      return undefined;
    case 'encode':
      draft.encodings = step.encodings;
      return undefined;
    case 'proxy':
    case 'files':
    case 'respond':
      return step;
  }
}

async function holds(matchers: readonly Matcher[], draft: Draft): Promise<boolean> {
  for (const matcher of matchers) {
    if (await matches(matcher, draft)) return true;
  }
  return matchers.length === 0;
}

async function matches({ hosts, paths, tryFiles }: Matcher, draft: Draft): Promise<boolean> {
  const { host, path } = draft.request;
  if (hosts !== undefined && !hosts.some((pattern) => matchesHost(pattern, host))) return false;
  if (paths !== undefined && !paths.some((pattern) => matchesPath(pattern, path))) return false;
  return tryFiles === undefined || (await findFile(tryFiles, draft));
}

async function findFile(candidates: readonly string[], draft: Draft): Promise<boolean> {
  if (draft.root === undefined) return false;
  for (const candidate of candidates) {
    const path = expand(candidate, draft.request);
    const found = await findServed(draft.root, path);
    if (found?.kind !== (path.endsWith('/') ? 'folder' : 'file')) continue;
    draft.request = { ...draft.request, relative: path };
    return true;
  }
  return false;
}

/** A path that is left out stays, and so does the query where the new URI has no question mark. */
function rewritten(request: Current, template: string): Current {
  const uri = expand(template, request);
  const mark = uri.indexOf('?');
  const path = mark === -1 ? uri : uri.slice(0, mark);
  const absolute = path === '' || path.startsWith('/') ? path : `/${path}`;
  return {
    ...request,
    path: absolute || request.path,
    query: mark === -1 ? request.query : uri.slice(mark + 1),
  };
}

function strip(draft: Draft, prefix: string): void {
  const { path, stripped } = stripPrefix(draft.request.path, prefix);
  if (stripped) draft.prefix += prefix;
  draft.request = { ...draft.request, path: path.startsWith('/') ? path : `/${path}` };
}
