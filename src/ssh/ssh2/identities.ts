import type { HostSettings, IdentityFile } from '../../config/settings.ts';
import type { SshContext } from '../context.ts';
import { Agent } from './agent.ts';
import { addToAgent } from './add-to-agent.ts';
import { readKeyFile, type KeyFile } from './key-file.ts';
import { parsePrivateKey, signWith, type PrivateKey } from './private-key.ts';
import { isUsable } from './offered-key.ts';
import type { PublicKey } from './public-key.ts';

/** A key that can be offered to a server; a passphrase is asked for only when it must sign. */
export interface Identity {
  /** Where it is from, for people: a file's path, or the agent and the key's comment. */
  readonly name: string;
  /** Absent if only the passphrase tells. */
  readonly publicKey?: PublicKey;
  /** Whether it signs without a question to anybody, so that it may before the server has said that it wants it. */
  readonly signsFreely: boolean;
  /** What to offer, when its turn has come. Undefined, after a word of why, when it cannot sign. */
  prepare(): Promise<PublicKey | undefined>;
  /** The signature with its type in front. Rejects when it cannot sign: no passphrase, a refusal by the agent. */
  sign(data: Buffer, algorithm: string): Promise<Buffer>;
}

/**
 * The keys to offer, in ssh's order (sshconnect2.c, pubkey_prepare): those of the agent that a configured file names,
 * the agent's other ones unless `IdentitiesOnly`, then the files that the agent does not hold.
 */
export async function loadIdentities(settings: HostSettings, context: SshContext): Promise<Identity[]> {
  const [agent, files] = await Promise.all([
    settings.identityAgent === undefined ? [] : agentIdentities(settings.identityAgent, context),
    Promise.all(settings.identityFiles.map((file) => fileIdentity(file, settings, context))),
  ]);
  const held = agent.filter((key) => files.some((file) => sameKey(key, file)));
  const others = settings.identitiesOnly ? [] : agent.filter((key) => !held.includes(key));
  const rest = files.filter((file) => !agent.some((key) => sameKey(key, file)));
  return [...held, ...others, ...rest].filter(({ name, publicKey }) => {
    const obstacle = publicKey && obstacleTo(publicKey, settings);
    if (obstacle !== undefined) context.debug(`${name} is ${publicKey?.type}, which ${obstacle}`);
    return obstacle === undefined;
  });
}

function obstacleTo(key: PublicKey, settings: HostSettings): string | undefined {
  if (!isUsable(key)) return 'this program cannot offer, or the key is damaged';
  return isAccepted(key.type, settings) ? undefined : 'PubkeyAcceptedAlgorithms leaves out';
}

function sameKey(a: Identity, b: Identity): boolean {
  return a.publicKey !== undefined && b.publicKey?.blob.equals(a.publicKey.blob) === true;
}

function isAccepted(type: string, { pubkeyAcceptedAlgorithms: accepted }: HostSettings): boolean {
  const rsa = type.replace(/^ssh-rsa/, '');
  const names = type.startsWith('ssh-rsa') ? [type, `rsa-sha2-256${rsa}`, `rsa-sha2-512${rsa}`] : [type];
  return accepted === undefined || names.some((name) => accepted.includes(name));
}

async function agentIdentities(path: string, context: SshContext): Promise<Identity[]> {
  const agent = new Agent(path);
  const keys = await agent.keys().catch((error: unknown) => {
    context.debug(`agent ${path}: ${String(error)}`);
    return [];
  });
  context.debug(`agent ${path}: ${keys.length} keys`);
  return keys.map(({ publicKey, comment }) => ({
    name: `agent key ${comment}`.trim(),
    publicKey,
    // Its owner may have to confirm, or to touch a device.
    signsFreely: false,
    prepare: () => Promise.resolve(publicKey),
    sign: (data, algorithm) => agent.sign(publicKey, data, algorithm),
  }));
}

async function fileIdentity(
  file: IdentityFile,
  settings: HostSettings,
  context: SshContext,
): Promise<Identity> {
  const found = await readKeyFile(file);
  let unlocked: Promise<PrivateKey> | undefined;
  const key = (): Promise<PrivateKey> => (unlocked ??= unlock(file.path, found, settings, context));
  return {
    name: file.path,
    ...(found.publicKey && { publicKey: found.publicKey }),
    // What is to be given to the agent must be known to be of use.
    signsFreely: found.privateKey?.encrypted === false && settings.addKeysToAgent === undefined,
    async prepare() {
      if (found.obstacle !== undefined) {
        explain(file, found.obstacle, context);
        return undefined;
      }
      // Only old encrypted PEM files without a .pub beside them hide their public half.
      return found.publicKey ?? (await key().catch(() => undefined))?.publicKey;
    },
    sign: async (data, algorithm) => signWith(await key(), data, algorithm),
  };
}

/** The files that ssh looks for by itself are mostly not there. */
function explain({ path, explicit }: IdentityFile, obstacle: string, { warn, debug }: SshContext): void {
  const tell = explicit || obstacle.includes('UNPROTECTED') ? warn : debug;
  tell(`Identity file ${path} ${obstacle}.`);
}

async function unlock(
  path: string,
  { privateKey: file }: KeyFile,
  settings: HostSettings,
  context: SshContext,
): Promise<PrivateKey> {
  const text = file?.text ?? '';
  const key = file?.encrypted === true ? await decrypt(path, text, settings, context) : parsePrivateKey(text);
  if (key === undefined || typeof key === 'string') {
    // Whoever has given up knows why.
    if (!context.signal.aborted) {
      context.warn(`${path} could not be unlocked: ${key ?? 'the file is damaged'}.`);
    }
    throw new Error(`${path} is locked`);
  }
  await addToAgent(key, path, settings, context);
  return key;
}

/**
 * As often as ssh asks (sshconnect2.c, load_identity_file); an empty answer is for going on without the key. Fulfils with
 * the key, or why there is none.
 */
async function decrypt(
  path: string,
  text: string,
  { numberOfPasswordPrompts: tries }: HostSettings,
  context: SshContext,
): Promise<PrivateKey | string> {
  if (context.ask === undefined) return 'it needs a passphrase, and there is nobody to ask for it';
  for (let i = 0; i < tries; i += 1) {
    const question = { text: `Enter passphrase for key '${path}': `, echo: false };
    const passphrase = await context.ask(question, context.signal);
    if (passphrase === undefined || passphrase === '') return 'no passphrase was given';
    const key = parsePrivateKey(text, passphrase);
    if (key !== undefined) return key;
    context.debug(`that is not the passphrase of ${path}`);
  }
  return 'wrong passphrase';
}
