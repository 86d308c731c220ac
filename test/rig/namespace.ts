import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { onDeath } from './last-resort.ts';
import { serverEnv } from './env.ts';
import { mustRun } from './run.ts';

/** A network namespace that has a name, so that interfaces can be put into it. */
export interface Namespace {
  readonly name: string;
  /** Put before a command, runs it there. */
  readonly prefix: readonly string[];
  /** `ip ARGS` there. */
  readonly ip: (...args: readonly string[]) => Promise<string>;
  /** Its interfaces go with it, and their other ends. What runs there must have ended. */
  stop(): Promise<void>;
}

/** Needs root. */
export async function makeNamespace(): Promise<Namespace> {
  const name = `tn-${randomBytes(4).toString('hex')}`;
  const remove = (): void => void execFileSync('ip', ['netns', 'del', name], { env: serverEnv('/') });
  await ip('netns', 'add', name);
  const forget = onDeath(remove);
  const namespace: Namespace = {
    name,
    prefix: ['ip', 'netns', 'exec', name],
    ip: (...args) => ip('-n', name, ...args),
    async stop() {
      forget();
      remove();
    },
  };
  await namespace.ip('link', 'set', 'lo', 'up');
  return namespace;
}

/** `ip ARGS` on this machine. */
export async function ip(...args: readonly string[]): Promise<string> {
  return (await mustRun(['ip', ...args], { env: serverEnv('/') })).stdout;
}

/** Joins two namespaces by a cable; each end has an address like `192.0.2.1/24`. */
export async function join(
  [one, oneAddress]: readonly [Namespace, string],
  [other, otherAddress]: readonly [Namespace, string],
): Promise<readonly [string, string]> {
  const id = randomBytes(4).toString('hex');
  const [a, b] = [`va${id}`, `vb${id}`] as const;
  await ip('link', 'add', a, 'netns', one.name, 'type', 'veth', 'peer', 'name', b, 'netns', other.name);
  for (const [namespace, dev, address] of [
    [one, a, oneAddress],
    [other, b, otherAddress],
  ] as const) {
    await namespace.ip('addr', 'add', address, 'dev', dev);
    await namespace.ip('link', 'set', dev, 'up');
  }
  return [a, b];
}
