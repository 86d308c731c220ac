/** What a request says of itself, for the placeholders of a Caddyfile; all as the client sent it, never decoded. */
export interface Asked {
  readonly method: string;
  /** Without the port, IPv6 without brackets. */
  readonly host: string;
  readonly hostport: string;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  readonly remoteHost: string;
  readonly header: (name: string) => string | undefined;
}

/** A request on its way through the rules. */
export interface Current extends Asked {
  readonly original: Asked;
  /** Where a request is sent to; known when there is a connection. */
  readonly upstream?: string;
  /** What a `try_files` found. */
  readonly relative: string;
}

const uri = ({ path, query }: Asked): string => (query === '' ? path : `${path}?${query}`);

const values: Readonly<Record<string, (request: Current) => string>> = {
  'http.request.uri': uri,
  'http.request.uri.path': ({ path }) => path,
  'http.request.uri.query': ({ query }) => query,
  'http.request.orig_uri': ({ original }) => uri(original),
  'http.request.orig_uri.path': ({ original }) => original.path,
  'http.request.orig_uri.query': ({ original }) => original.query,
  'http.request.host': ({ host }) => host,
  'http.request.hostport': ({ hostport }) => hostport,
  'http.request.port': ({ hostport }) => /:(\d+)$/.exec(hostport)?.[1] ?? '',
  'http.request.method': ({ method }) => method,
  'http.request.scheme': () => 'http',
  'http.request.remote': ({ remoteHost }) => remoteHost,
  'http.request.remote.host': ({ remoteHost }) => remoteHost,
  'http.reverse_proxy.upstream.hostport': ({ upstream = '' }) => upstream,
  'http.matchers.file.relative': ({ relative }) => relative,
};

/** Caddy's short forms (httptype.go, placeholderShorthands). */
const shortForms: Readonly<Record<string, string>> = {
  uri: 'http.request.uri',
  path: 'http.request.uri.path',
  query: 'http.request.uri.query',
  orig_uri: 'http.request.orig_uri',
  orig_path: 'http.request.orig_uri.path',
  orig_query: 'http.request.orig_uri.query',
  host: 'http.request.host',
  hostport: 'http.request.hostport',
  port: 'http.request.port',
  method: 'http.request.method',
  scheme: 'http.request.scheme',
  remote: 'http.request.remote',
  upstream_hostport: 'http.reverse_proxy.upstream.hostport',
  remote_host: 'http.request.remote.host',
};

const placeholder = /(?<!\\)\{([a-z_$][\w.$*-]*)\}/gi;

/** The text with every placeholder in its long form; `unknown` is called with each that is not understood. */
export function longForms(text: string, unknown: (name: string) => never): string {
  return text.replace(placeholder, (_, name: string) => {
    const header = /^header\.(.+)$/.exec(name)?.[1];
    const long = header === undefined ? (shortForms[name] ?? name) : `http.request.header.${header}`;
    if (!Object.hasOwn(values, long) && !long.startsWith('http.request.header.')) unknown(name);
    return `{${long}}`;
  });
}

/** The text with every placeholder replaced by its value. */
export function expand(text: string, request: Current): string {
  return text
    .replace(placeholder, (_, name: string) => {
      const header = /^http\.request\.header\.(.+)$/.exec(name)?.[1];
      if (header !== undefined) return request.header(header) ?? '';
      return values[name]?.(request) ?? '';
    })
    .replaceAll(/\\([{}])/g, '$1');
}
