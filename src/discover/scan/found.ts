import type { HttpAnswer } from './http-probe.ts';
import type { Process } from './listeners.ts';
import type { Source } from './script.ts';

/** `unknown`: not tried, since nothing suggests that it would be refused. */
export type Access = 'yes' | 'no' | 'unknown';

/** What ports and sockets have in common. */
interface Found {
  /** What is typed to forward to it. */
  readonly spec: string;
  readonly owner?: string;
  readonly process?: Process;
  readonly access: Access;
  /** Absent: it was not asked, or did not answer in HTTP. */
  readonly http?: HttpAnswer;
  /** Sites and routes of Caddy that lead to it, or that it is: `:8081 /api/*`. */
  readonly caddy: readonly string[];
  /** Whether it belongs to the system rather than to an app. */
  readonly system: boolean;
}

export interface FoundPort extends Found {
  readonly port: number;
  /** `*` for every address. */
  readonly addresses: readonly string[];
}

export interface FoundSocket extends Found {
  readonly path: string;
  /** `srwxrwx---`, where the file may be seen. */
  readonly mode?: string;
  readonly group?: string;
  /** Why there is no access, for a person. */
  readonly why?: string;
}

/** What a host listens on, as far as it may be seen. */
export interface Scan {
  readonly host: string;
  readonly user: string;
  /** ISO 8601. */
  readonly time: string;
  /** `dialled`: nothing could be run there, and a few usual ports were tried. */
  readonly source: Source | 'dialled';
  readonly ports: readonly FoundPort[];
  readonly sockets: readonly FoundSocket[];
  /** Whether the admin API of a Caddy was read, and where. */
  readonly caddyAdmin?: string;
  /** What could not be seen, and what would help: one sentence each. */
  readonly unseen: readonly string[];
}
