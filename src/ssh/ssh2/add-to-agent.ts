import type { JsonWebKey } from 'node:crypto';
import type { HostSettings } from '../../config/settings.ts';
import type { SshContext } from '../context.ts';
import { wireInteger, wireString, wireUint32 } from '../wire.ts';
import { Agent } from './agent.ts';
import type { PrivateKey } from './private-key.ts';

/** draft-miller-ssh-agent, sections 4.2 and 5. */
const ADD_IDENTITY = 17;
const ADD_ID_CONSTRAINED = 25;
const CONSTRAIN_LIFETIME = 1;
const CONSTRAIN_CONFIRM = 2;

/** Gives a key that was read from `file` to the agent, as AddKeysToAgent says. Never rejects. */
export async function addToAgent(
  key: PrivateKey,
  file: string,
  settings: HostSettings,
  context: SshContext,
): Promise<void> {
  const { addKeysToAgent: how, identityAgent: path } = settings;
  if (how === undefined || path === undefined) return;
  const comment = key.comment === '' ? file : key.comment;
  if (how.ask) {
    const question = { text: `Add key ${file} (${comment}) to agent (yes/no)? `, echo: true, confirm: true };
    const answer = await context.ask?.(question, context.signal);
    if (!/^y(?:es)?$/i.test(answer?.trim() ?? '')) return;
  }
  const lifetime =
    how.lifetime === undefined ? [] : [Buffer.from([CONSTRAIN_LIFETIME]), wireUint32(how.lifetime)];
  const constraints = [...lifetime, ...(how.confirm ? [Buffer.from([CONSTRAIN_CONFIRM])] : [])];
  const kind = constraints.length > 0 ? ADD_ID_CONSTRAINED : ADD_IDENTITY;
  const parts = [Buffer.from([kind]), ...privateParts(key), wireString(comment), ...constraints];
  try {
    await new Agent(path).add(Buffer.concat(parts));
    context.debug(`added ${file} to the agent`);
  } catch (error) {
    context.warn(`${file} could not be added to the agent ${path}: ${(error as Error).message}`);
  }
}

/** The key as the agent wants it, draft-miller-ssh-agent, section 4.2. */
function privateParts({ key, publicKey: { type } }: PrivateKey): Buffer[] {
  const jwk: JsonWebKey = key.export({ format: 'jwk' });
  const part = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64url');
  const name = wireString(type);
  if (jwk.kty === 'RSA')
    return [name, ...[jwk.n, jwk.e, jwk.d, jwk.qi, jwk.p, jwk.q].map((number) => wireInteger(part(number)))];
  if (jwk.kty === 'OKP') {
    const [d, x] = [part(jwk.d), part(jwk.x)];
    return [name, wireString(x), wireString(Buffer.concat([d, x]))];
  }
  const point = Buffer.concat([Buffer.from([4]), part(jwk.x), part(jwk.y)]);
  return [name, wireString(type.replace('ecdsa-sha2-', '')), wireString(point), wireInteger(part(jwk.d))];
}
