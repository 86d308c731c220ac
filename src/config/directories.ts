import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import { homeDirectory } from '../home.ts';

type Env = Readonly<NodeJS.ProcessEnv>;

/** Where profiles and what the person decides are kept: TUNNEL_CONFIG_DIR, else XDG's place. */
export function configDirectory(env: Env = process.env): string {
  return place(env, 'TUNNEL_CONFIG_DIR', 'XDG_CONFIG_HOME', '.config');
}

/** Where logs and what can be found out again are kept: TUNNEL_STATE_DIR, else XDG's place. */
export function stateDirectory(env: Env = process.env): string {
  return place(env, 'TUNNEL_STATE_DIR', 'XDG_STATE_HOME', '.local/state');
}

/** Where control sockets are: TUNNEL_RUNTIME_DIR, else in XDG_RUNTIME_DIR, else beside the state. */
export function runtimeDirectory(env: Env = process.env): string {
  const { TUNNEL_RUNTIME_DIR: own, XDG_RUNTIME_DIR: xdg } = env;
  if (own) return resolve(own);
  return xdg ? join(resolve(xdg), 'tunnel') : join(stateDirectory(env), 'run');
}

function place(env: Env, own: string, xdg: string, underHome: string): string {
  const chosen = env[own];
  if (chosen) return resolve(chosen);
  const base = env[xdg];
  return join(base ? resolve(base) : join(homeDirectory(), underHome), 'tunnel');
}

/**
 * Makes the directory where it is missing, for the user alone. Throws a `UsageError` (`unsafe-directory`) for one that
 * belongs to somebody else or lets others in, since whoever may write there could stand in for us.
 */
export function makePrivateDirectory(path: string): void {
  try {
    if (mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined) chmodSync(path, 0o700);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw unsafe(path, `it cannot be made: ${why}`, cause);
  }
  const found = lstatSync(path);
  const us = process.getuid?.();
  if (!found.isDirectory()) throw unsafe(path, 'it is not a directory');
  if (us !== undefined && found.uid !== us) {
    throw unsafe(path, `it belongs to user ${found.uid}, and this is user ${us}`);
  }
  if ((found.mode & 0o077) !== 0) {
    throw unsafe(path, `others may enter it: its mode is ${(found.mode & 0o777).toString(8)}, not 700`);
  }
}

function unsafe(path: string, why: string, cause?: unknown): UsageError {
  return new UsageError('unsafe-directory', `The directory ${path} cannot be used: ${why}`, {
    hint: ['Put it right, or choose others with TUNNEL_RUNTIME_DIR, TUNNEL_STATE_DIR and TUNNEL_CONFIG_DIR.'],
    ...(cause !== undefined && { cause }),
  });
}
