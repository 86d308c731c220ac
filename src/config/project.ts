import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isIPv4, isIPv6 } from 'node:net';
import { systemCode, UsageError } from '../errors.ts';
import { parseSpec } from '../parse-spec.ts';
import { formatSpec, type LocalSpec } from '../spec.ts';
import { configDirectory } from './directories.ts';
import { JsonStore } from './json-store.ts';
import { localForwardsShape, routesShape } from './profiles/profile.ts';
import { check, type ObjectShape } from './profiles/shape.ts';

export const PROJECT_FILE = 'tunnel.json';

/** More than anybody writes by hand. */
const LONGEST = 256 * 1024;

/** What a project's file asks for. Whoever wrote it is not the person who uses it: it names nothing but what to forward. */
export interface Project {
  readonly path: string;
  /** Of its contents: what was agreed to is these, not the file. */
  readonly hash: string;
  readonly forwards?: readonly LocalSpec[];
  readonly routes?: readonly string[];
}

export const projectShape: ObjectShape = {
  kind: 'object',
  keys: {
    $schema: { kind: 'text', about: 'For editors' },
    forwards: localForwardsShape,
    routes: routesShape,
  },
};

/**
 * The `tunnel.json` of the directory or of the nearest one above it. Throws a `UsageError` that names the key for one
 * that asks for anything else than local forwards and routes.
 */
export function findProject(directory: string): Project | undefined {
  for (let place = resolve(directory); ; place = dirname(place)) {
    const path = join(place, PROJECT_FILE);
    const contents = readIfThere(path);
    if (contents !== undefined) return parseProject(path, contents);
    if (dirname(place) === place) return undefined;
  }
}

function parseProject(path: string, contents: Buffer): Project {
  const refuse = (problem: string): UsageError => new UsageError('bad-config', `${path} ${problem}`);
  if (contents.length > LONGEST) throw refuse('is too long');
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(contents));
  } catch (cause) {
    throw new UsageError('bad-config', `${path} is no JSON`, { cause });
  }
  check(projectShape, value, { file: path, path: [] });
  const { forwards, routes } = value as { forwards?: readonly string[]; routes?: readonly string[] };
  return {
    path,
    hash: createHash('sha256').update(contents).digest('hex'),
    ...(forwards && {
      forwards: forwards.map((text, index) => harmless(text, `${path}: forwards[${index}]`, path)),
    }),
    ...(routes && { routes }),
  };
}

/** Nobody else's machine is let in, and no socket is made outside the project. */
function harmless(text: string, spot: string, path: string): LocalSpec {
  const spec = parseSpec(text);
  const { listen } = spec;
  if (listen.kind === 'unix') {
    const directory = dirname(path);
    const place = resolve(directory, listen.path);
    if (listen.path.startsWith('~') || !place.startsWith(`${directory}/`)) {
      throw new UsageError('bad-config', `${spot} makes a socket outside the project`);
    }
    return { ...spec, listen: { kind: 'unix', path: place } };
  }
  if (listen.host === undefined || isLoopback(listen.host)) return spec;
  throw new UsageError('bad-config', `${spot} would let other machines in: ${formatSpec(spec)}`, {
    hint: ['Type it, or put it into a profile of yours.'],
  });
}

function isLoopback(host: string): boolean {
  if (isIPv4(host)) return host.startsWith('127.');
  return isIPv6(host) ? host === '::1' : host === 'localhost';
}

interface TrustFile {
  readonly version: 1;
  /** By path, the hash of what was agreed to. */
  readonly files: Readonly<Record<string, string>>;
}

const trustShape: ObjectShape = {
  kind: 'object',
  keys: {
    $schema: { kind: 'text' },
    version: { kind: 'constant', value: 1 },
    files: { kind: 'map', about: 'What was agreed to', of: { kind: 'text' }, checkName() {} },
  },
  required: ['version', 'files'],
};

/** Whether the person has agreed to just these contents at this place. */
export async function isTrusted({ path, hash }: Project, warn: (message: string) => void): Promise<boolean> {
  const { files } = await trustStore(warn).read();
  return Object.hasOwn(files, path) && files[path] === hash;
}

export async function trust({ path, hash }: Project, warn: (message: string) => void): Promise<void> {
  await trustStore(warn).update((file) => ({ ...file, files: { ...file.files, [path]: hash } }));
}

function trustStore(warn: (message: string) => void): JsonStore<TrustFile> {
  return new JsonStore<TrustFile>({
    path: join(configDirectory(), 'trusted.json'),
    shape: trustShape,
    schema: 'trusted',
    migrations: [(contents) => ({ ...contents, version: 1 })],
    empty: { version: 1, files: {} },
    warn,
  });
}

function readIfThere(path: string): Buffer | undefined {
  try {
    // A pipe of that name would be waited for without end.
    return statSync(path).isFile() ? readFileSync(path) : undefined;
  } catch (error) {
    // What may not be read is none for us.
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}
