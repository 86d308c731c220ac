import type { UsageError } from '../../errors.ts';
import { comparePaths } from '../compile-routes.ts';
import type { Matcher, Rule } from '../rule.ts';
import { type Block, type Directive, readBlocks } from './blocks.ts';
import { directives, exclusive, ignored, type Place } from './directives.ts';
import { type CaddyfileOptions, nameOf, Scope, toHosts } from './scope.ts';
import { joinSites, readAddress, type Site } from './sites.ts';
import { readTokens, refusingIn, type RefuseAt, replaceEnvironment } from './tokens.ts';

/**
 * Reads the directives that this proxy understands, as Caddy would; throws a `UsageError` (`bad-caddyfile`) with file and
 * line for any other: half of a configuration may serve what the other half would have protected.
 */
export function readCaddyfile(text: string, file: string, options: CaddyfileOptions): readonly Rule[] {
  const refuse = refusingIn(file);
  const tokens = readTokens(replaceEnvironment(text, options.environment ?? {}), refuse);
  const blocks = readBlocks(tokens, refuse);
  const scope = new Scope(options);
  const sites = blocks
    .filter((block) => !isGlobal(block, refuse))
    .map((block) => readSite(block, scope, refuse));
  return joinSites(sites, file, options);
}

/** Global options that say nothing about what is served under which path. */
const globalOptions = [
  'admin',
  'auto_https',
  'debug',
  'default_bind',
  'email',
  'grace_period',
  'http_port',
  'https_port',
  'local_certs',
  'log',
  'persist_config',
  'servers',
  'skip_install_trust',
  'storage',
];

function isGlobal({ keys, body }: Block, refuse: RefuseAt): boolean {
  if (keys.length > 0) return false;
  const unknown = body.find(({ name }) => !globalOptions.includes(name));
  if (unknown !== undefined) throw refuse(unknown.line, `the global option ${unknown.name} is not supported`);
  return true;
}

function readSite({ keys, line, body }: Block, scope: Scope, refuse: RefuseAt): Site {
  const addresses = keys.flatMap(({ text }) => text.split(',')).filter((address) => address !== '');
  const parsed = addresses.map((address) => {
    const read = readAddress(address);
    if (read === undefined) throw refuse(line, `the site address ${address} is not supported`);
    return read;
  });
  const names = parsed.some(({ host }) => host === undefined) ? [] : parsed.map(({ host }) => host ?? '');
  const hosts =
    names.includes('localhost') && names.length === 1 ? [] : names.filter((host) => !host.startsWith('['));
  return {
    address: addresses.join(', '),
    hosts: toHosts(hosts, (why) => refuse(line, why)),
    port: parsed[0]?.port,
    rules: new BlockReader(body, scope, refuse, new Map()).rules(true),
  };
}

type Named = ReadonlyMap<string, readonly Matcher[]>;

interface Sortable {
  readonly directive: string;
  readonly rules: readonly Rule[];
}

/** One block of directives: its named matchers, and its rules in the order in which Caddy takes them. */
class BlockReader {
  readonly #body: readonly Directive[];
  readonly #scope: Scope;
  readonly #refuse: RefuseAt;
  readonly #named: Named;

  constructor(body: readonly Directive[], scope: Scope, refuse: RefuseAt, outer: Named) {
    const own = body.filter(({ name }) => name.startsWith('@'));
    this.#scope = scope;
    this.#refuse = refuse;
    this.#named = new Map([...outer, ...own.map((one) => [one.name, [readNamed(one, refuse)]] as const)]);
    this.#body = body.filter(({ name }) => !name.startsWith('@') && !ignored.includes(name));
  }

  rules(sorted: boolean): readonly Rule[] {
    const read = this.#body.map((directive) => this.#read(directive));
    const ordered = sorted ? read.toSorted(byOrder) : read;
    return ordered.flatMap(({ directive, rules }) =>
      rules.map((rule) => (exclusive.includes(directive) ? { ...rule, group: directive } : rule)),
    );
  }

  #read(directive: Directive): Sortable {
    const { name, line } = directive;
    const adapt = directives[name];
    if (adapt === undefined || !Object.hasOwn(directives, name)) {
      throw this.#refuse(line, `the directive ${name} is not supported`);
    }
    const { match, args } = this.#matcher(directive);
    const place: Place = {
      scope: this.#scope,
      refuse: this.#refuse,
      match,
      rulesOf: (inner, sorted) =>
        new BlockReader(inner.block ?? [], this.#scope, this.#refuse, this.#named).rules(sorted),
    };
    const title = nameOf(match);
    const rules = adapt(directive, args, place).map((rule) =>
      title === undefined ? rule : { ...rule, name: title },
    );
    return { directive: name === 'handle_path' ? 'handle' : name, rules };
  }

  /** The first argument is a matcher if it looks like one: `*`, `/path`, `@name`. */
  #matcher(directive: Directive): { match: readonly Matcher[]; args: readonly string[] } {
    const [first, ...rest] = directive.args;
    const all = directive.args.map(({ text }) => text);
    if (first === undefined || first.isQuoted) return { match: [], args: all };
    const args = rest.map(({ text }) => text);
    if (first.text === '*') return { match: [], args };
    // `rewrite /new` and `root /srv` have a value alone.
    const isValue = rest.length === 0 && ['rewrite', 'root', 'redir', 'try_files'].includes(directive.name);
    if (first.text.startsWith('/') && !isValue) return { match: [{ paths: [first.text] }], args };
    if (!first.text.startsWith('@')) return { match: [], args: all };
    const match = this.#named.get(first.text);
    if (match === undefined) throw this.#refuse(directive.line, `there is no matcher ${first.text}`);
    return { match, args };
  }
}

function readNamed(
  { name, args, block, line }: Directive,
  refuse: (line: number, why: string) => UsageError,
): Matcher {
  const [kind, ...values] = args;
  const parts: readonly Directive[] =
    kind === undefined ? (block ?? []) : [{ name: kind.text, args: values, line, block: undefined }];
  const hosts: string[] = [];
  const paths: string[] = [];
  for (const part of parts) {
    const words = part.args.map(({ text }) => text);
    if (part.name === 'path') paths.push(...words);
    else if (part.name === 'host') hosts.push(...toHosts(words, (why) => refuse(part.line, why)));
    else throw refuse(part.line, `${name} with ${part.name} is not supported; only path and host are`);
  }
  return { ...(hosts.length === 0 ? {} : { hosts }), ...(paths.length === 0 ? {} : { paths }) };
}

const order = Object.keys(directives);

function byOrder(a: Sortable, b: Sortable): number {
  return order.indexOf(a.directive) - order.indexOf(b.directive) || bySpecificity(a.rules[0], b.rules[0]);
}

/** httptype.go, sortRoutes: of two with one path each the longer; else what has a matcher comes first. */
function bySpecificity(a: Rule | undefined, b: Rule | undefined): number {
  const [left, right] = [onlyPath(a), onlyPath(b)];
  if (left !== undefined && right !== undefined) return comparePaths(left, right);
  return Number(a?.match.length === 0) - Number(b?.match.length === 0);
}

function onlyPath(rule: Rule | undefined): string | undefined {
  const [matcher, ...more] = rule?.match ?? [];
  return more.length === 0 && matcher?.paths?.length === 1 ? matcher.paths[0] : undefined;
}
