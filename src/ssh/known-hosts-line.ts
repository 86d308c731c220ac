import { createHmac } from 'node:crypto';
import { decodeKey, keyType } from './known-hosts-key.ts';

/** One key of a known_hosts file: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT. */
export interface KnownKey {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly marker: 'none' | 'cert-authority' | 'revoked';
  /** As written: patterns with commas between them, or one hashed name. */
  readonly hosts: string;
  readonly type: string;
  readonly key: Buffer;
}

// A marker may be followed by tabs here, where ssh takes spaces alone: it overlooks such a @revoked, we must not.
const LINE = /^[ \t]*(?:@([^ \t]+)[ \t]+)?([^@ \t][^ \t]*)[ \t]+([^ \t]+)[ \t]+([^ \t]+)/;
/** To ssh a byte order mark is a part of the first name, and it overlooks a @revoked behind one: we must not. */
const MARKED_REVOKED = /^\uFEFF(?=[ \t]*@revoked[ \t])/;
const BLANK = /^[ \t\r]*(?:#|$)/;
/** The HMAC-SHA1 of a name, keyed by a salt of 20 bytes, both base64. */
const HASHED = /^\|1\|([A-Za-z0-9+/]{27}=)\|([A-Za-z0-9+/]{27}=)$/;
/** OpenSSH's match_pattern_list (match.c) gives up on a list with a longer pattern. */
const LONGEST_PATTERN = 1022;

/** Reads a whole file; `malformed` is told the lines that hold no key. */
export function parseKnownHosts(file: string, text: string, malformed: (line: number) => void): KnownKey[] {
  const keys: KnownKey[] = [];
  for (const [index, whole] of text.replace(MARKED_REVOKED, '').split('\n').entries()) {
    // To ssh a line is a string of C.
    const [content = ''] = whole.split('\0', 1);
    if (BLANK.test(content)) continue;
    const known = parseLine(file, index + 1, content);
    if (known === undefined) malformed(index + 1);
    else keys.push(known);
  }
  return keys;
}

function parseLine(file: string, line: number, content: string): KnownKey | undefined {
  const [, marker = 'none', hosts = '', type = '', base64 = ''] = LINE.exec(content) ?? [];
  if (marker !== 'none' && marker !== 'cert-authority' && marker !== 'revoked') return undefined;
  if (isHashed(hosts) && !HASHED.test(hosts)) return undefined;
  // White space within the base64 is skipped (base64.c, b64_pton), and so is the end of CRLF.
  const key = decodeKey(type, base64.replaceAll(/[\r\v\f]/g, ''));
  return key === undefined ? undefined : { file, line, marker, hosts, type: keyType(key), key };
}

export function isHashed(hosts: string): boolean {
  return hosts.startsWith('|');
}

/** The name as known_hosts has it under `HashKnownHosts`; `salt` is 20 bytes. */
export function hashName(name: string, salt: Buffer): string {
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

/** Whether a line is about `name`, which is in lower case. */
export function matchesHosts(hosts: string, name: string): boolean {
  const salt = HASHED.exec(hosts)?.[1];
  if (salt !== undefined) return hashName(name, Buffer.from(salt, 'base64')) === hosts;
  return matchesPatterns(hosts.toLowerCase(), name);
}

/** One pattern must match and none of the negated ones. */
function matchesPatterns(hosts: string, name: string): boolean {
  if (!/[*?!,]/.test(hosts)) return hosts === name;
  const patterns = hosts.split(',');
  if (patterns.some((pattern) => pattern.length > LONGEST_PATTERN)) return false;
  const negated = patterns.filter((pattern) => pattern.startsWith('!'));
  if (negated.some((pattern) => matchesPattern(pattern.slice(1), name))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && matchesPattern(pattern, name));
}

/** `*` is any characters, `?` is one. Goes back to the last `*` only: a regular expression could take for ever. */
function matchesPattern(pattern: string, name: string): boolean {
  let at = 0;
  let star = -1;
  let starAt = 0;
  for (let index = 0; index < name.length;) {
    if (pattern[at] === '*') {
      star = at++;
      starAt = index;
    } else if (pattern[at] === '?' || pattern[at] === name[index]) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++starAt;
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(at));
}
