import { readFile } from 'node:fs/promises';
import type { HostSettings } from '../config/settings.ts';
import { systemCode } from '../errors.ts';
import type { SshContext } from './context.ts';
import { isHashed, matchesHosts, parseKnownHosts, type KnownKey } from './known-hosts-line.ts';

/** A file of another kind may have no other lines. */
const NAMED_LINES = 5;

const warned = new Set<string>();

/** What known_hosts calls one host: in lower case, `[host]:port` when the port is not 22. */
export interface KnownHostsName {
  readonly name: string;
  /** The name without the port, whose key counts too; absent where `name` has none or is a `HostKeyAlias`. */
  readonly withoutPort?: string;
}

/** Where a key stands: a file and a line from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** What known_hosts says of the key that a host has shown. */
export type Verdict =
  | ({ readonly kind: 'known' } & Place)
  /** The host has keys and this is none of them; the place is that of the last, and `type` its type. */
  | ({ readonly kind: 'changed'; readonly type: string } & Place)
  | ({ readonly kind: 'revoked' } & Place)
  | {
      readonly kind: 'unknown';
      /** Other hosts with this very key, in the order of the files. */
      readonly otherNames: readonly OtherName[];
      /** True: there is a `@cert-authority` for the host, but plain keys are not signed. */
      readonly certificateAuthority: boolean;
    };

export interface OtherName extends Place {
  /** As written in the file; absent when they are hashed. */
  readonly hosts?: string;
}

/** The name to look a host up by and to store it under, as get_hostfile_hostname_ipaddr (sshconnect.c) does. */
export function knownHostsName(
  settings: Pick<HostSettings, 'hostname' | 'port' | 'hostKeyAlias'>,
): KnownHostsName {
  if (settings.hostKeyAlias !== undefined) return { name: settings.hostKeyAlias.toLowerCase() };
  const hostname = settings.hostname.toLowerCase();
  return settings.port === 22
    ? { name: hostname }
    : { name: `[${hostname}]:${settings.port}`, withoutPort: hostname };
}

/**
 * Reads known_hosts files. A missing one is an empty one; one that cannot be read is warned about; lines that cannot be
 * understood are skipped, as ssh does, with one warning a file.
 */
export async function loadKnownHosts(
  files: readonly string[],
  { warn }: Pick<SshContext, 'warn'>,
): Promise<KnownHosts> {
  return new KnownHosts(await readKnownKeys(files, { warn }));
}

/** The lines of known_hosts files, as `loadKnownHosts` reads them. */
export async function readKnownKeys(
  files: readonly string[],
  { warn }: Pick<SshContext, 'warn'>,
): Promise<KnownKey[]> {
  const keys: KnownKey[] = [];
  for (const file of files) {
    const text = await read(file, warn);
    const malformed: number[] = [];
    const found = parseKnownHosts(file, text, (line) => malformed.push(line));
    for (const key of found) keys.push(key);
    if (malformed.length > 0) warn(skipped(file, malformed));
  }
  return keys;
}

function skipped(file: string, lines: readonly number[]): string {
  const named = lines.slice(0, NAMED_LINES).join(', ');
  const more = lines.length > NAMED_LINES ? ` and ${lines.length - NAMED_LINES} more` : '';
  return `${file}: skipped what is no host key known to this program, in line ${named}${more}.`;
}

/**
 * For a warning that is given once as long as this process lives: the same files are read for each jump host, for each
 * connection, and again to learn host keys.
 */
export function warnedOnce({ warn }: Pick<SshContext, 'warn'>): Pick<SshContext, 'warn'> {
  return {
    warn(message) {
      if (warned.has(message)) return;
      warned.add(message);
      warn(message);
    },
  };
}

async function read(file: string, warn: SshContext['warn']): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') {
      const why = error instanceof Error ? error.message : String(error);
      warn(`The host keys in ${file} are not known, and its @revoked lines do not count: ${why}`);
    }
    return '';
  }
}

/** The host keys of a set of files, in their order. Judges as check_host_key (sshconnect.c) and hostfile.c do. */
export class KnownHosts {
  readonly #keys: readonly KnownKey[];
  readonly #found = new Map<string, readonly KnownKey[]>();

  constructor(keys: readonly KnownKey[]) {
    this.#keys = keys;
  }

  /** These and, after them, others. */
  with(keys: readonly KnownKey[]): KnownHosts {
    return new KnownHosts([...this.#keys, ...keys]);
  }

  /** Judges a plain host key; certificates are not understood. */
  verdict(host: KnownHostsName, key: Buffer): Verdict {
    const verdict = judge(this.#keysOf(host.name), key);
    if (verdict !== undefined) return verdict;
    const general = host.withoutPort === undefined ? undefined : judge(this.#keysOf(host.withoutPort), key);
    // Another key without the port says nothing: this may be another server on the same host.
    if (general !== undefined && general.kind !== 'changed') return general;
    return {
      kind: 'unknown',
      otherNames: this.#otherNames(host.name, key),
      certificateAuthority: this.knowsAuthority(host),
    };
  }

  /** The types of the plain keys known under `name`; a server asked for one of them shows a key that can be checked. */
  keyTypes({ name }: KnownHostsName): string[] {
    const plain = this.#keysOf(name).filter(({ marker }) => marker === 'none');
    return [...new Set(plain.map(({ type }) => type))];
  }

  /** Whether there is an authority for the host, with or without its port: a certificate would do. */
  knowsAuthority({ name, withoutPort }: KnownHostsName): boolean {
    const names = withoutPort === undefined ? [name] : [name, withoutPort];
    return names.some((each) => this.#keysOf(each).some(({ marker }) => marker === 'cert-authority'));
  }

  /** Whether one of `files` has the key as a plain one under this very name. */
  isKnownFrom(files: readonly string[], { name }: KnownHostsName, key: Buffer): boolean {
    return this.#keysOf(name).some(
      (known) => known.marker === 'none' && known.key.equals(key) && files.includes(known.file),
    );
  }

  #keysOf(name: string): readonly KnownKey[] {
    const known = this.#found.get(name);
    if (known !== undefined) return known;
    const keys = this.#keys.filter(({ hosts }) => matchesHosts(hosts, name));
    this.#found.set(name, keys);
    return keys;
  }

  #otherNames(name: string, key: Buffer): OtherName[] {
    const own = new Set(this.#keysOf(name));
    return this.#keys
      .filter((known) => known.marker === 'none' && known.key.equals(key) && !own.has(known))
      .map((known) => ({ ...placeOf(known), ...(isHashed(known.hosts) ? {} : { hosts: known.hosts }) }));
  }
}

/**
 * Undefined when there is no plain key to compare with. A key of another type than all the known ones is a changed
 * one, as it is for ssh: a server that was replaced would otherwise only need to have none of the known types.
 */
function judge(keys: readonly KnownKey[], key: Buffer): Verdict | undefined {
  const revoked = keys.find((known) => known.marker === 'revoked' && known.key.equals(key));
  if (revoked !== undefined) return { kind: 'revoked', ...placeOf(revoked) };
  const plain = keys.filter(({ marker }) => marker === 'none');
  const same = plain.find((known) => known.key.equals(key));
  if (same !== undefined) return { kind: 'known', ...placeOf(same) };
  const last = plain.at(-1);
  return last === undefined ? undefined : { kind: 'changed', type: last.type, ...placeOf(last) };
}

function placeOf({ file, line }: KnownKey): Place {
  return { file, line };
}
