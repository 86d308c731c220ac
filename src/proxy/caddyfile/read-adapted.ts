import { basename } from 'node:path';
import { UsageError } from '../../errors.ts';
import type {
  Encoding,
  FilesStep,
  HeaderOps,
  Matcher,
  Precompressed,
  ProxyStep,
  Rule,
  Step,
} from '../rule.ts';
import { defaultIndex } from './handlers.ts';
import { toRegExp } from './header-ops.ts';
import { type CaddyfileOptions, compactOps, nameOf, Scope, toHosts } from './scope.ts';
import { joinSites, type Site } from './sites.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads what `caddy adapt` makes of a Caddyfile. Throws a `UsageError` (`bad-caddyfile`) that names the handler or
 * matcher that is not supported; the lines of the file are not known any more.
 */
export function readAdapted(json: string, file: string, options: CaddyfileOptions): readonly Rule[] {
  const reader = new AdaptedReader(file, options);
  return joinSites(reader.sites(JSON.parse(json)), file, options);
}

class AdaptedReader {
  readonly #file: string;
  readonly #scope: Scope;

  constructor(file: string, options: CaddyfileOptions) {
    this.#file = file;
    this.#scope = new Scope(options);
  }

  sites(config: unknown): readonly Site[] {
    const http = object(object(object(config)['apps'])['http']);
    return Object.values(object(http['servers'])).flatMap((server) => this.#server(object(server)));
  }

  /** A route with hosts is a site of its own; what is beside them is one for every name. */
  #server({ listen, routes, errors }: Json): readonly Site[] {
    if (errors !== undefined) throw this.#refuse('handle_errors is not supported');
    const port = Number(/:(\d+)$/.exec(strings(listen)[0] ?? '')?.[1]);
    const sites: Site[] = [];
    const loose: Json[] = [];
    for (const route of objects(routes)) {
      const [matcher, ...more] = objects(route['match']);
      const hosts = strings(matcher?.['host']);
      const isSite =
        route['terminal'] === true && more.length === 0 && Object.keys(matcher ?? {}).join('') === 'host';
      if (!isSite) loose.push(route);
      else {
        const inner = objects(route['handle']).flatMap((handler) =>
          handler['handler'] === 'subroute'
            ? this.#rules(handler['routes'])
            : [{ match: [], steps: this.#handler(handler) }],
        );
        const names = hosts.length === 1 && hosts[0] === 'localhost' ? [] : hosts;
        sites.push({ address: hosts.join(', '), hosts: toHosts(names, this.#refuse), port, rules: inner });
      }
    }
    return loose.length === 0
      ? sites
      : [...sites, { address: `:${port}`, hosts: [], port, rules: this.#rules(loose) }];
  }

  #rules(routes: unknown): readonly Rule[] {
    return objects(routes).map((route) => {
      const match = objects(route['match']).map((matcher) => this.#matcher(matcher));
      const steps = objects(route['handle']).flatMap((handler) => this.#handler(handler));
      const name = nameOf(match);
      const { group } = route;
      return {
        match,
        steps,
        ...(typeof group === 'string' ? { group } : {}),
        ...(name === undefined ? {} : { name }),
      };
    });
  }

  #matcher(json: Json): Matcher {
    const { host, path, file, ...others } = json;
    const [unknown] = Object.keys(others);
    if (unknown !== undefined) throw this.#refuse(`the matcher ${unknown} is not supported`);
    const { try_files: files, ...rest } = object(file);
    const [more] = Object.keys(rest);
    if (more !== undefined) throw this.#refuse(`the file matcher with ${more} is not supported`);
    return {
      ...(host === undefined ? {} : { hosts: toHosts(strings(host), this.#refuse) }),
      ...(path === undefined ? {} : { paths: strings(path) }),
      ...(file === undefined ? {} : { tryFiles: strings(files).map((one) => this.#template(one)) }),
    };
  }

  #handler(json: Json): readonly Step[] {
    const { handler, ...rest } = json;
    const read = typeof handler === 'string' ? this.#handlers[handler] : undefined;
    if (read === undefined) throw this.#refuse(`the handler ${String(handler)} is not supported`);
    const { steps, uses } = read(rest);
    const unknown = Object.keys(rest).find((key) => !uses.includes(key));
    if (unknown !== undefined) throw this.#refuse(`${String(handler)} with ${unknown} is not supported`);
    return steps;
  }

  readonly #handlers: Readonly<
    Record<string, (json: Json) => { steps: readonly Step[]; uses: readonly string[] }>
  > = {
    subroute: (json) => ({ steps: [{ do: 'rules', rules: this.#rules(json['routes']) }], uses: ['routes'] }),
    vars: (json) => ({
      steps: [{ do: 'root', folder: this.#scope.folder(this.#template(String(json['root']))) }],
      uses: ['root'],
    }),
    rewrite: ({ uri, strip_path_prefix: prefix }) => ({
      steps: [
        ...(typeof prefix === 'string' ? [{ do: 'strip', prefix } as const] : []),
        ...(typeof uri === 'string' ? [{ do: 'rewrite', uri: this.#template(uri) } as const] : []),
      ],
      uses: ['uri', 'strip_path_prefix'],
    }),
    headers: ({ response }) => ({ steps: this.#headers(object(response)), uses: ['response'] }),
    encode: ({ encodings, prefer }) => ({
      steps: [
        { do: 'encode', encodings: strings(prefer ?? Object.keys(object(encodings))) as readonly Encoding[] },
      ],
      uses: ['encodings', 'prefer'],
    }),
    static_response: ({ status_code: status = 200, body = '', headers }) => ({
      steps: [
        {
          do: 'respond',
          status: Number(status),
          body: this.#template(String(body)),
          headers: this.#pairs(headers),
        },
      ],
      uses: ['status_code', 'body', 'headers', 'close'],
    }),
    reverse_proxy: (json) => ({
      steps: [this.#proxy(json)],
      uses: ['upstreams', 'headers', 'load_balancing', 'flush_interval'],
    }),
    file_server: (json) => ({
      steps: [this.#files(json)],
      uses: ['root', 'hide', 'index_names', 'precompressed', 'precompressed_order'],
    }),
  };

  #proxy({ upstreams, headers, load_balancing: balancing }: Json): ProxyStep {
    const policy = object(object(balancing)['selection_policy'])['policy'];
    if (policy !== undefined && policy !== 'first') {
      throw this.#refuse(`reverse_proxy with lb_policy ${JSON.stringify(policy)} is not supported`);
    }
    const { request, response } = object(headers);
    return {
      do: 'proxy',
      upstreams: objects(upstreams).map(({ dial }) => this.#scope.upstream(String(dial), this.#refuse)),
      ...(request === undefined ? {} : { up: this.#ops(object(request)) }),
      ...(response === undefined ? {} : { down: this.#ops(object(response)) }),
    };
  }

  #files({ root, hide, index_names: index, precompressed, precompressed_order: order }: Json): FilesStep {
    return {
      do: 'files',
      ...(typeof root === 'string' ? { folder: this.#scope.folder(root) } : {}),
      index: index === undefined ? defaultIndex : strings(index),
      // Its own file is named as it was given to `caddy adapt`, which may have been a copy.
      hide: [
        ...strings(hide)
          .filter((one) => one !== `./${basename(this.#file)}`)
          .map((one) => this.#scope.hidden(one)),
        ...this.#scope.hide,
      ],
      precompressed: strings(order ?? Object.keys(object(precompressed))) as readonly Precompressed[],
    };
  }

  #headers({ deferred, require, ...response }: Json): readonly Step[] {
    const ops = this.#ops(response);
    if (require !== undefined) return [{ do: 'headers', ops: { fallback: ops.set ?? [], deferred: true } }];
    return [{ do: 'headers', ops: { ...ops, ...(deferred === true ? { deferred: true } : {}) } }];
  }

  #ops({ add, set, delete: remove, replace }: Json): HeaderOps {
    return compactOps({
      add: this.#pairs(add),
      // Caddy before 2.7 leaves the sign at the name.
      set: this.#pairs(set).map(([name, value]) => [name.replace(/^>/, ''), value] as const),
      remove: strings(remove),
      replace: Object.entries(object(replace)).flatMap(([name, list]) =>
        objects(list).map(({ search, search_regexp: pattern, replace: by = '' }) => ({
          name,
          search: toRegExp(String(pattern ?? search), 0, (_, why) => this.#refuse(why)),
          by: this.#template(String(by)).replace(/\$\{?(\d+)\}?/g, '$$$1'),
        })),
      ),
    });
  }

  #pairs(json: unknown): readonly (readonly [string, string])[] {
    return Object.entries(object(json)).flatMap(([name, values]) =>
      strings(values).map((value) => [name, this.#template(value)] as const),
    );
  }

  #template(text: string): string {
    return this.#scope.template(text, this.#refuse);
  }

  readonly #refuse = (why: string): UsageError => new UsageError('bad-caddyfile', `${this.#file}: ${why}`);
}

function object(json: unknown): Json {
  return typeof json === 'object' && json !== null ? (json as Json) : {};
}

function objects(json: unknown): readonly Json[] {
  return Array.isArray(json) ? json.map(object) : [];
}

function strings(json: unknown): readonly string[] {
  return Array.isArray(json) ? json.map(String) : [];
}
