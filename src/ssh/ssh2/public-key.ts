import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { WireReader, wireInteger, wireString } from '../wire.ts';

/** A public key as it goes over the wire (RFC 4253, section 6.6), of any type: FIDO keys and certificates as well. */
export interface PublicKey {
  readonly type: string;
  readonly blob: Buffer;
}

/** ssh's names of the curves that it knows. */
const CURVES: Readonly<Record<string, string>> = {
  'P-256': 'nistp256',
  'P-384': 'nistp384',
  'P-521': 'nistp521',
};

/** Undefined if the blob is none. */
export function readPublicKey(blob: Buffer): PublicKey | undefined {
  try {
    const type = new WireReader(blob).string().toString('latin1');
    return /^[\x21-\x7e]+$/.test(type) ? { type, blob } : undefined;
  } catch {
    return undefined;
  }
}

/** A line of a .pub file: type, base64, comment. Undefined if it is none. */
export function parsePublicKey(line: string): PublicKey | undefined {
  const [type, base64 = ''] = line.trim().split(/\s+/);
  const key = readPublicKey(Buffer.from(base64, 'base64'));
  return key?.type === type ? key : undefined;
}

/** The public half of a private key; undefined for a kind of key that SSH does not have. */
export function publicKeyOf(key: KeyObject): PublicKey | undefined {
  const blob = publicBlob(createPublicKey(key).export({ format: 'jwk' }));
  return blob && readPublicKey(blob);
}

function publicBlob(jwk: JsonWebKey): Buffer | undefined {
  const part = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64url');
  if (jwk.kty === 'RSA')
    return Buffer.concat([wireString('ssh-rsa'), wireInteger(part(jwk.e)), wireInteger(part(jwk.n))]);
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519')
    return Buffer.concat([wireString('ssh-ed25519'), wireString(part(jwk.x))]);
  const curve = CURVES[jwk.crv ?? ''];
  if (jwk.kty !== 'EC' || curve === undefined) return undefined;
  const point = Buffer.concat([Buffer.from([4]), part(jwk.x), part(jwk.y)]);
  return Buffer.concat([wireString(`ecdsa-sha2-${curve}`), wireString(curve), wireString(point)]);
}
