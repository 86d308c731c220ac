import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { publicKeyOf } from '../../../src/ssh/ssh2/public-key.ts';
import { WireReader, wireString, wireUint32 } from '../../../src/ssh/wire.ts';
import type { Stoppable } from '../../rig/rig.ts';

const TYPE = 'sk-ssh-ed25519@openssh.com';
const APPLICATION = 'ssh:';
const USER_PRESENT = 1;

export interface FidoAgent extends Stoppable {
  readonly path: string;
  /** `sk-ssh-ed25519@openssh.com AAAA…` */
  readonly publicKey: string;
}

/** An agent that holds one FIDO key, made of software: no machine that runs tests has a device (PROTOCOL.u2f). */
export async function startFidoAgent(path: string): Promise<FidoAgent> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const inner = new WireReader(publicKeyOf(privateKey)?.blob ?? Buffer.alloc(0));
  inner.string();
  const blob = Buffer.concat([wireString(TYPE), wireString(inner.string()), wireString(APPLICATION)]);

  const signature = (message: Buffer): Buffer => {
    const counter = Buffer.concat([Buffer.from([USER_PRESENT]), wireUint32(7)]);
    const signed = sign(null, Buffer.concat([sha256(APPLICATION), counter, sha256(message)]), privateKey);
    return Buffer.concat([wireString(TYPE), wireString(signed), counter]);
  };
  const answer = (request: Buffer): Buffer => {
    const reader = new WireReader(request.subarray(1));
    if (request[0] === 11)
      return Buffer.concat([Buffer.from([12]), wireUint32(1), wireString(blob), wireString('a token')]);
    if (request[0] !== 13 || !reader.string().equals(blob)) return Buffer.from([5]);
    return Buffer.concat([Buffer.from([14]), wireString(signature(reader.string()))]);
  };
  const double = await startAgentDouble(path, answer);
  return { path, publicKey: `${TYPE} ${blob.toString('base64')}`, stop: () => double.stop() };
}

/** Something that speaks an agent's protocol; requests and answers begin with their number. */
export async function startAgentDouble(
  path: string,
  answer: (request: Buffer) => Buffer,
): Promise<Stoppable> {
  const server = createServer((socket) => serve(socket, answer)).listen(path);
  await once(server, 'listening');
  return {
    async stop() {
      server.close();
      await once(server, 'close');
    },
  };
}

function serve(socket: Socket, answer: (request: Buffer) => Buffer): void {
  let received = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('data', (data) => {
    received = Buffer.concat([received, data]);
    if (received.length < 4 || received.length < 4 + received.readUInt32BE()) return;
    socket.write(wireString(answer(received.subarray(4))));
    received = Buffer.alloc(0);
  });
}

function sha256(data: string | Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}
