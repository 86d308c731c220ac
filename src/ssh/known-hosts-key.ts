import { createHash } from 'node:crypto';

/** How many fields the blob of each key type has that OpenSSH reads from known_hosts (RFC 4253, section 6.6). */
const FIELDS: ReadonlyMap<string, number> = new Map([
  ['ssh-ed25519', 2],
  ['ssh-rsa', 3],
  ['ssh-dss', 5],
  ['ecdsa-sha2-nistp256', 3],
  ['ecdsa-sha2-nistp384', 3],
  ['ecdsa-sha2-nistp521', 3],
  ['sk-ssh-ed25519@openssh.com', 3],
  ['sk-ecdsa-sha2-nistp256@openssh.com', 4],
]);

/** What `ssh` and `ssh-keygen -l` show: `SHA256:` and unpadded base64. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The type that a key says it is of, `ssh-rsa` whatever the signature's hash; `unknown` if that is unreadable. */
export function keyType(key: Buffer): string {
  const type = fieldsOf(key)[0]?.toString('latin1') ?? '';
  return /^[\x21-\x7e]{1,64}$/.test(type) ? type : 'unknown';
}

/**
 * The key of a known_hosts line or of a .pub file; undefined where OpenSSH would skip the line: a type that it does
 * not know, base64 that is not canonical, a key that is cut off or of another type than the line says.
 */
export function decodeKey(type: string, base64: string): Buffer | undefined {
  // RFC 8332: the same key under the name of a signature algorithm, which sshkey_read takes too.
  const name = type.startsWith('rsa-sha2-') ? 'ssh-rsa' : type;
  const count = FIELDS.get(name);
  if (count === undefined) return undefined;
  const key = Buffer.from(base64, 'base64');
  if (key.toString('base64') !== base64) return undefined;
  const fields = fieldsOf(key);
  if (fields.length !== count || fields[0]?.toString('latin1') !== name) return undefined;
  return name === 'ssh-ed25519' && fields[1]?.length !== 32 ? undefined : key;
}

/** The strings that the whole of `blob` consists of (RFC 4251, section 5); none if it is something else. */
function fieldsOf(blob: Buffer): Buffer[] {
  const fields: Buffer[] = [];
  let start = 0;
  while (start + 4 <= blob.length) {
    const end = start + 4 + blob.readUInt32BE(start);
    if (end > blob.length) return [];
    fields.push(blob.subarray(start + 4, end));
    start = end;
  }
  return start === blob.length ? fields : [];
}
