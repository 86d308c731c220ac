import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onDeath } from '../rig/last-resort.ts';
import { killChild, stopChild } from '../rig/processes.ts';
import type { Methods } from './near.fixture.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const fixture = fileURLToPath(new URL('near.fixture.ts', import.meta.url));

/** Calls the methods of near.fixture.ts, which runs in a network namespace. */
export interface NearSide {
  call<Name extends keyof Methods>(
    method: Name,
    ...args: Parameters<Methods[Name]>
  ): ReturnType<Methods[Name]>;
  stop(): Promise<void>;
}

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** `prefix` runs a command in the namespace. */
export async function startNearSide(prefix: readonly string[], env: NodeJS.ProcessEnv): Promise<NearSide> {
  const [command = process.execPath, ...args] = prefix;
  const child = spawn(command, [...args, process.execPath, '--import=tsx', fixture], {
    cwd: root,
    env,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await once(child, 'spawn');
  const forget = onDeath(() => killChild(child));
  const waiting = new Map<number, (reply: Reply) => void>();
  child.on('message', (reply) => waiting.get((reply as Reply).id)?.(reply as Reply));
  child.on('exit', () => {
    for (const [id, answer] of waiting) answer({ id, error: 'the near side has ended' });
  });
  let calls = 0;
  const ask = async (method: string, args: readonly unknown[]): Promise<unknown> => {
    calls += 1;
    const id = calls;
    const reply = await new Promise<Reply>((resolve) => {
      waiting.set(id, resolve);
      child.send({ id, method, args });
    });
    waiting.delete(id);
    if (reply.error !== undefined) throw new Error(`${method}: ${reply.error}`);
    return reply.result;
  };
  return {
    call: (method, ...args) => ask(method, args) as ReturnType<Methods[typeof method]>,
    async stop() {
      await stopChild(child, 'SIGKILL');
      forget();
    },
  };
}
