import { connect } from 'node:net';
import { WireReader, wireString, wireUint32 } from '../wire.ts';
import { readPublicKey, type PublicKey } from './public-key.ts';

/** Numbers of messages and flags: OpenSSH PROTOCOL.agent, draft-miller-ssh-agent, section 5. */
const FAILURE = 5;
const SUCCESS = 6;
const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;
const RSA_SHA2_256 = 2;
const RSA_SHA2_512 = 4;

/** No answer of an agent is longer, ssh-agent's own limit (authfd.c, MAX_AGENT_REPLY_LEN). */
const LONGEST_ANSWER = 256 * 1024;

/** Signing may wait for a person; listing does not, and an agent that hangs must not look like a server that does. */
const LIST_LIMIT_MS = 5000;

export interface AgentKey {
  readonly publicKey: PublicKey;
  readonly comment: string;
}

/**
 * An ssh-agent. ssh2 has a client for it, too, which leaves out the keys that ssh2 cannot use itself: FIDO keys and
 * certificates, for which an agent signs like for any other.
 *
 * There is one connection for each request, so that nothing is left open. All reject when the agent is not there,
 * refuses, or does not speak the protocol.
 */
export class Agent {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** In the agent's order. */
  async keys(): Promise<AgentKey[]> {
    const answer = await this.#request(Buffer.from([REQUEST_IDENTITIES]), IDENTITIES_ANSWER, LIST_LIMIT_MS);
    const keys: AgentKey[] = [];
    const count = answer.uint32();
    for (let i = 0; i < count; i += 1) {
      const publicKey = readPublicKey(answer.string());
      const comment = answer.string().toString();
      if (publicKey !== undefined) keys.push({ publicKey, comment });
    }
    return keys;
  }

  /** Signs as `algorithm`; gives the signature with its type in front, as the server wants it (RFC 4253, section 6.6). */
  async sign({ blob }: PublicKey, data: Buffer, algorithm: string): Promise<Buffer> {
    const flags = algorithm.startsWith('rsa-sha2-256')
      ? RSA_SHA2_256
      : algorithm.startsWith('rsa-sha2-512')
        ? RSA_SHA2_512
        : 0;
    const parts = [Buffer.from([SIGN_REQUEST]), wireString(blob), wireString(data), wireUint32(flags)];
    return (await this.#request(Buffer.concat(parts), SIGN_RESPONSE)).string();
  }

  /** `request` is an SSH_AGENTC_ADD_IDENTITY or ADD_ID_CONSTRAINED. */
  async add(request: Buffer): Promise<void> {
    await this.#request(request, SUCCESS);
  }

  #request(request: Buffer, expected: number, limitMs = 0): Promise<WireReader> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.path);
      socket.setTimeout(limitMs, () => socket.destroy(new Error(`no answer within ${limitMs / 1000} s`)));
      let received = Buffer.alloc(0);
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('the agent closed the connection')));
      socket.on('data', (data) => {
        received = Buffer.concat([received, data]);
        const length = received.length < 5 ? undefined : received.readUInt32BE();
        if (length === undefined || (length <= LONGEST_ANSWER && received.length < 4 + length)) return;
        socket.destroy();
        if (received[4] === expected) resolve(new WireReader(received.subarray(5)));
        else
          reject(
            new Error(received[4] === FAILURE ? 'the agent refused' : 'the agent gave no proper answer'),
          );
      });
      socket.write(wireString(request));
    });
  }
}
