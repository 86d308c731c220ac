import type { Endpoint } from '../endpoint.ts';

/**
 * What the proxy is told to do: rules that are tried in order, each a condition and the steps to take where it holds.
 * Routes of the command line, our own Caddyfile reader and the JSON of `caddy adapt` all become this; it is the part of
 * Caddy's own model (modules/caddyhttp: Route, Handler) that is understood here.
 */
export interface Rule {
  /** The rule applies where one of them holds; where there are none, always. */
  readonly match: readonly Matcher[];
  readonly steps: readonly Step[];
  /** Of the rules of one group in a list only the first that applies is taken. */
  readonly group?: string | undefined;
  /** What is logged and shown of it. */
  readonly name?: string | undefined;
}

/** Every part of it must hold. */
export interface Matcher {
  /** Names or `*.name`, in lower case. */
  readonly hosts?: readonly string[];
  /** Caddy's patterns. */
  readonly paths?: readonly string[];
  /** The first of these that is a file below the root is `{http.matchers.file.relative}`. */
  readonly tryFiles?: readonly string[];
}

export type Step = Terminal | Change;

/** Goes on with the request. */
export type Change =
  | { readonly do: 'rules'; readonly rules: readonly Rule[] }
  | { readonly do: 'root'; readonly folder: string }
  | { readonly do: 'rewrite'; readonly uri: string }
  | { readonly do: 'strip'; readonly prefix: string }
  | { readonly do: 'headers'; readonly ops: HeaderOps }
  | { readonly do: 'encode'; readonly encodings: readonly Encoding[] };

/** Ends with an answer. */
export type Terminal = ProxyStep | FilesStep | RespondStep;

export interface ProxyStep {
  readonly do: 'proxy';
  /** The first that can be connected to gets the request. */
  readonly upstreams: readonly Endpoint[];
  readonly up?: HeaderOps;
  readonly down?: HeaderOps;
}

export interface FilesStep {
  readonly do: 'files';
  /** Else the root that was set before. */
  readonly folder?: string;
  readonly index: readonly string[];
  /** Files that are answered as if they did not exist, by their absolute path or name. */
  readonly hide: readonly string[];
  /** In the order of preference. */
  readonly precompressed: readonly Precompressed[];
}

export interface RespondStep {
  readonly do: 'respond';
  readonly status: number;
  readonly body: string;
  readonly headers: readonly (readonly [string, string])[];
}

export type Encoding = 'gzip' | 'br' | 'zstd';
export type Precompressed = 'br' | 'gzip' | 'zstd';

/** Changes of header fields, in Caddy's order: add, set, delete, replace. Values may have placeholders. */
export interface HeaderOps {
  readonly add?: readonly (readonly [string, string])[];
  readonly set?: readonly (readonly [string, string])[];
  /** Set only where the answer has none. */
  readonly fallback?: readonly (readonly [string, string])[];
  readonly remove?: readonly string[];
  readonly replace?: readonly { readonly name: string; readonly search: RegExp; readonly by: string }[];
  /** Of an answer: done when its header is complete, and not before the next step. */
  readonly deferred?: boolean;
}
