import { type Endpoint, parseEndpoint } from '../../endpoint.ts';
import { UsageError } from '../../errors.ts';
import { isAbsolute, join } from 'node:path';
import { isHostPattern } from '../host.ts';
import { longForms } from '../placeholders.ts';
import type { HeaderOps, Matcher } from '../rule.ts';

export interface CaddyfileOptions {
  /** The local folder that relative roots are from: that of the Caddyfile. */
  readonly folder: string;
  /** The remote folder that relative sockets are from (`--remote-dir`); the home there unless told otherwise. */
  readonly remoteFolder?: string | undefined;
  /** For `{$NAME}` and `{env.NAME}`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Only the site with this address: `example.com`, `:8081`. */
  readonly site?: string | undefined;
  /** Files that no file server shows: the Caddyfile itself. */
  readonly hide?: readonly string[];
}

/** What both readers know of their surroundings. */
export class Scope {
  readonly #options: CaddyfileOptions;

  constructor(options: CaddyfileOptions) {
    this.#options = options;
  }

  get hide(): readonly string[] {
    return this.#options.hide ?? [];
  }

  /** With `{env.NAME}` replaced, and the other placeholders in their long form. */
  template(text: string, refuse: (why: string) => UsageError): string {
    const filled = text.replace(
      /\{env\.([^}\s]+)\}/g,
      (_, name: string) => this.#options.environment?.[name] ?? '',
    );
    return longForms(filled, (name) => {
      throw refuse(`the placeholder {${name}} is not supported`);
    });
  }

  /** A folder here. */
  folder(path: string): string {
    return isAbsolute(path) ? path : join(this.#options.folder, path);
  }

  /** What a pattern of `hide` stands for: with a slash it is a path. */
  hidden(pattern: string): string {
    return pattern.includes('/') ? this.folder(pattern) : pattern;
  }

  /** A network address of Caddy's, as an endpoint there. */
  upstream(address: string, refuse: (why: string) => UsageError): Endpoint {
    const plain = address.replace(/^http:\/\//i, '').replace(/^(?:tcp|tcp4|tcp6)\//, '');
    if (/^(?:https|h2c|srv\+\w+):\/\//i.test(plain)) {
      throw refuse(`${address}: an upstream is reached over HTTP, without TLS and without SRV records`);
    }
    if (/[{}]/.test(plain)) throw refuse(`${address}: an upstream with a placeholder is not supported`);
    try {
      return this.#there(parseEndpoint(withPort(plain).replace(/^unix\+h2c\//, 'unix/')));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw refuse(error.message);
    }
  }

  /** A relative socket is from where Caddy runs, which `~` and `/` are not. */
  #there(endpoint: Endpoint): Endpoint {
    if (endpoint.kind === 'tcp' || /^[/~]/.test(endpoint.path)) return endpoint;
    const { remoteFolder } = this.#options;
    if (remoteFolder === undefined) return endpoint;
    const path = join(remoteFolder, endpoint.path);
    return { kind: 'unix', path: /^[/~]/.test(path) ? path : `./${path}` };
  }
}

/** `:9000` is a port here as it is for Caddy, and a host alone means port 80. */
function withPort(address: string): string {
  if (/^:\d+$/.test(address)) return address.slice(1);
  return /^unix[/:+]/.test(address) || /:\d+$/.test(address) || /^\d+$/.test(address)
    ? address
    : `${address}:80`;
}

/** Host names in lower case; what is no name is refused. */
export function toHosts(names: readonly string[], refuse: (why: string) => UsageError): readonly string[] {
  return names.map((name) => {
    if (!isHostPattern(name)) throw refuse(`${name} is not a host name; write a name or *.name`);
    return name.toLowerCase();
  });
}

/** How a rule is called in the log and on pages. */
export function nameOf(matchers: readonly Matcher[]): string | undefined {
  const paths = matchers.flatMap(({ paths = [] }) => paths);
  return paths.length === 0 ? undefined : paths.join(' ');
}

/** Without what is empty, so that two readings of the same can be compared. */
export function compactOps(ops: HeaderOps): HeaderOps {
  return Object.fromEntries(
    Object.entries(ops).filter(
      ([, value]) => value !== false && !(Array.isArray(value) && value.length === 0),
    ),
  );
}
