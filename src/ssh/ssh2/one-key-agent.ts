import ssh2, {
  type Client,
  type IdentityCallback,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
} from 'ssh2';
import type { SshContext } from '../context.ts';
import { WireReader, wireString } from '../wire.ts';
import type { Identity } from './identities.ts';
import { sendSignedRequest } from './internals.ts';
import { isForeign, toParsedKey } from './offered-key.ts';
import type { PublicKey } from './public-key.ts';

/** ssh2 can only sign later, and so ask for a passphrase, with a key that an agent holds: every key is given so. */
export class OneKeyAgent extends ssh2.BaseAgent {
  readonly #identity: Identity;
  readonly #publicKey: PublicKey;
  readonly #client: Client;
  readonly #context: SshContext;

  constructor(identity: Identity, publicKey: PublicKey, client: Client, context: SshContext) {
    super();
    this.#identity = identity;
    this.#publicKey = publicKey;
    this.#client = client;
    this.#context = context;
  }

  override getIdentities(done: IdentityCallback): void {
    done(null, [toParsedKey(this.#publicKey)]);
  }

  override sign(
    key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    done?: SignCallback,
  ): void {
    const [{ hash }, reply] =
      typeof options === 'function' ? [{ hash: undefined }, options] : [options, done];
    // RFC 8332: an RSA key has an algorithm for each hash, and its first one had no name for its own.
    const algorithm = hash === undefined || hash === 'sha1' ? key.type : hash.replace('sha', 'rsa-sha2-');
    this.#identity
      .sign(data, algorithm)
      // What an agent gives for a signature may be none.
      .then((signature) => this.#send(data, signature, reply))
      .catch((error: unknown) => {
        this.#context.debug(`${this.#identity.name} cannot sign: ${String(error)}`);
        reply?.(error instanceof Error ? error : new Error(String(error)));
      });
  }

  #send(data: Buffer, signature: Buffer, reply: SignCallback | undefined): void {
    const reader = new WireReader(signature);
    reader.string();
    if (!isForeign(this.#publicKey)) return reply?.(null, reader.string());
    // What is signed is the session's identifier and the request itself (RFC 4252, section 7).
    const request = data.subarray(4 + data.readUInt32BE());
    if (!sendSignedRequest(this.#client, Buffer.concat([request, wireString(signature)])))
      reply?.(new Error('ssh2 does not let us send this kind of signature'));
  }
}
