import type { FilesStep, Precompressed, ProxyStep } from '../rule.ts';
import type { Directive } from './blocks.ts';
import type { Place } from './directives.ts';
import { type HeaderLine, toHeaderOps } from './header-ops.ts';

/** Of no consequence here, or what is done anyway: connections are opened by us, and answers are never held back. */
const indifferent = [
  'flush_interval',
  'transport http',
  'lb_try_duration',
  'lb_try_interval',
  'fail_duration',
];

/** `reverse_proxy`: upstreams, and the header fields that change on the way. */
export function toProxyStep(directive: Directive, args: readonly string[], place: Place): ProxyStep {
  const addresses = [...args];
  const up: HeaderLine[] = [];
  const down: HeaderLine[] = [];
  for (const { name, args: inner, line, block } of directive.block ?? []) {
    const [first = '', ...rest] = inner.map(({ text }) => text);
    const values = rest.map((text) => place.scope.template(text, (why) => place.refuse(line, why)));
    if (name === 'to') addresses.push(first, ...rest);
    else if (name === 'header_up') up.push({ line, field: first, values });
    else if (name === 'header_down') down.push({ line, field: first, values });
    else if (name === 'lb_policy' && first === 'first') continue;
    else if (!indifferent.includes(name) || block !== undefined) {
      throw place.refuse(line, `reverse_proxy with ${[name, first].join(' ').trim()} is not supported`);
    }
  }
  if (addresses.length === 0) throw place.refuse(directive.line, 'reverse_proxy needs an upstream');
  const upstreams = addresses.map((address) =>
    place.scope.upstream(address, (why) => place.refuse(directive.line, why)),
  );
  const { deferred: _up, ...upOps } = toHeaderOps(up, place.refuse);
  const { deferred: _down, ...downOps } = toHeaderOps(down, place.refuse);
  return {
    do: 'proxy',
    upstreams,
    ...(up.length === 0 ? {} : { up: upOps }),
    ...(down.length === 0 ? {} : { down: downOps }),
  };
}

/** `file_server`, without a listing of folders. */
export function toFilesStep(directive: Directive, args: readonly string[], place: Place): FilesStep {
  if (args.length > 0) throw place.refuse(directive.line, `file_server ${args.join(' ')} is not supported`);
  let folder: string | undefined;
  let index: readonly string[] = defaultIndex;
  let precompressed: readonly Precompressed[] = [];
  const hide: string[] = [];
  for (const { name, args: inner, line } of directive.block ?? []) {
    const values = inner.map(({ text }) => text);
    if (name === 'root' && values[0] !== undefined) folder = place.scope.folder(values[0]);
    else if (name === 'index') index = values;
    else if (name === 'hide') hide.push(...values.map((pattern) => place.scope.hidden(pattern)));
    else if (name === 'precompressed')
      precompressed = values.map((value) => toPrecompressed(value, line, place));
    else throw place.refuse(line, `file_server with ${name} is not supported`);
  }
  return {
    do: 'files',
    ...(folder === undefined ? {} : { folder }),
    index,
    hide: [...hide, ...place.scope.hide],
    precompressed,
  };
}

/** Caddy's. */
export const defaultIndex: readonly string[] = ['index.html', 'index.txt'];

function toPrecompressed(name: string, line: number, { refuse }: Place): Precompressed {
  if (name === 'br' || name === 'gzip' || name === 'zstd') return name;
  throw refuse(line, `precompressed ${name} is not supported`);
}
