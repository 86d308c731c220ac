import assert from 'node:assert/strict';
import { join } from 'node:path';
import { resolveSettings } from '../../../src/config/ssh-config.ts';
import type { HostSettings } from '../../../src/config/settings.ts';
import { ConnectError } from '../../../src/errors.ts';
import type { Ask, Question, SshContext } from '../../../src/ssh/context.ts';
import type { SshConnection } from '../../../src/ssh/connection.ts';
import { connect } from '../../../src/ssh/ssh2/connect.ts';
import { startServer } from '../../rig/processes.ts';
import type { Rig } from '../../rig/rig.ts';
import type { SshClient } from '../../rig/ssh-client.ts';

/** Everything that a connection under way has told and asked. */
export interface Told {
  readonly warnings: string[];
  readonly debug: string[];
  readonly trace: string[];
  readonly questions: Question[];
  /** All of it, for what must or must not be in there. */
  readonly text: string;
}

export function nothingTold(): Told {
  const told = { warnings: [], debug: [], trace: [], questions: [] as Question[] };
  return {
    ...told,
    get text() {
      const questions = told.questions.map(({ text }) => text);
      return [...told.warnings, ...told.debug, ...told.trace, ...questions].join('\n');
    },
  };
}

/** A person who gives these answers in turn, and declines (undefined) when there are no more. */
export function answers(...texts: (string | undefined)[]): Ask {
  const left = [...texts];
  return async () => left.shift();
}

export function contextOf(told: Told, ask?: Ask): SshContext {
  return {
    ...(ask && {
      ask: async (question, signal) => {
        told.questions.push(question);
        return await ask(question, signal);
      },
    }),
    warn: (message) => told.warnings.push(message),
    debug: (message) => told.debug.push(message),
    trace: (message) => told.trace.push(message),
    phase: () => undefined,
    signal: new AbortController().signal,
  };
}

export async function settingsOf(client: SshClient): Promise<HostSettings> {
  return await resolveSettings({ host: client.name }, { configFile: client.configFile });
}

/** Logs in as `client`; the connection is closed with the rig. */
export async function login(
  rig: Rig,
  client: SshClient,
  ask?: Ask,
  told: Told = nothingTold(),
): Promise<SshConnection> {
  const connection = await connect(await settingsOf(client), contextOf(told, ask));
  await rig.own(Promise.resolve({ stop: () => connection.close() }));
  return connection;
}

/** The error that `client` cannot log in with. */
export async function refusal(
  client: SshClient,
  ask?: Ask,
  told: Told = nothingTold(),
): Promise<ConnectError> {
  const error = await connect(await settingsOf(client), contextOf(told, ask)).then(
    async (connection) => await connection.close(),
    (failure: unknown) => failure,
  );
  assert.ok(error instanceof ConnectError, String(error));
  return error;
}

/** ssh-agent in the foreground, with the keys of these files; gives its socket. */
export async function startAgent(rig: Rig, ...files: string[]): Promise<string> {
  const socket = join(rig.folder('agent'), 'agent.sock');
  await rig.own(
    startServer({
      command: ['ssh-agent', '-D', '-a', socket],
      cwd: rig.dir,
      env: rig.env,
      // The socket is there before it is listened on.
      ready: (output) => output.includes('SSH_AUTH_SOCK='),
      stopSignal: 'SIGTERM',
    }),
  );
  for (const file of files) assert.equal((await sshAdd(rig, socket, '-q', file)).status, 0);
  return socket;
}

export function sshAdd(rig: Rig, socket: string, ...args: string[]): ReturnType<Rig['run']> {
  return rig.run(['ssh-add', ...args], { env: { ...rig.env, SSH_AUTH_SOCK: socket } });
}
