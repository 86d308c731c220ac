import ssh2, { type ParsedKey } from 'ssh2';
import { wireString } from '../wire.ts';
import type { PublicKey } from './public-key.ts';

/** FIDO keys and certificates: ssh2 neither parses them nor builds what is sent with their signature. */
export function isForeign({ type }: PublicKey): boolean {
  return type.startsWith('sk-') || type.includes('-cert-v0');
}

/** Whether `toParsedKey` takes it: agents and files may hold types that ssh2 does not know, such as ssh-ed448. */
export function isUsable(key: PublicKey): boolean {
  return isForeign(key) || !(ssh2.utils.parseKey(key.blob) instanceof Error);
}

/**
 * A public key as ssh2 takes it, if `isUsable`. To tell what is one it looks for a mark that its parser left, which an object that
 * inherits from a parsed key has, too; then it asks for the type and the blob and nothing else.
 */
export function toParsedKey(key: PublicKey): ParsedKey {
  const parsed = ssh2.utils.parseKey(isForeign(key) ? STAND_IN : key.blob);
  if (parsed instanceof Error) throw parsed;
  if (!isForeign(key)) return parsed;
  return Object.create(parsed, {
    type: { value: wireAlgorithm(key.type) },
    getPublicSSH: { value: () => key.blob },
  }) as ParsedKey;
}

/** RFC 8332: what an RSA key is offered as tells the hash; its certificates follow suit (PROTOCOL.certkeys). */
function wireAlgorithm(type: string): string {
  return type === 'ssh-rsa-cert-v01@openssh.com' ? 'rsa-sha2-512-cert-v01@openssh.com' : type;
}

const STAND_IN = Buffer.concat([wireString('ssh-ed25519'), wireString(Buffer.alloc(32))]);
