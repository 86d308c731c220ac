import { chownSync, copyFileSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serverEnv } from './env.ts';
import { answers } from './http-ready.ts';
import type { Machine } from './machine.ts';
import { startServer } from './processes.ts';
import type { TestUser } from './users.ts';

export interface GunicornOptions {
  /** The app's directory, made when missing. The rig gives one; `join(sshd.home, 'app')` is `~/app` there. */
  readonly dir?: string;
  /** `--bind`: `unix:app.sock` (the default), another path, or `127.0.0.1:PORT`. */
  readonly bind?: string;
  /** `-m`; default `007`. */
  readonly umask?: string;
  /** `-w`; default 1. */
  readonly workers?: number;
  /** Requests that a worker serves at a time; default 8. With 1 it is a sync worker, which has one connection at a time. */
  readonly threads?: number;
  /** What `/hello` says as `app`. */
  readonly name?: string;
  readonly user?: TestUser;
  readonly on?: Machine;
}

export interface Gunicorn {
  readonly dir: string;
  /** The socket's absolute path; undefined when bound to a port. */
  readonly socket: string | undefined;
  readonly pid: number;
  stop(): Promise<void>;
}

const appFile = fileURLToPath(new URL('apps/app.py', import.meta.url));

/** Starts Gunicorn with the app of `apps/app.py` and waits until it answers; importing pandas takes its time. */
export async function startGunicorn(options: GunicornOptions & { readonly dir: string }): Promise<Gunicorn> {
  const { dir, bind = 'unix:app.sock', user, on } = options;
  mkdirSync(dir, { recursive: true });
  if (user) chownSync(dir, user.uid, user.gid);
  copyFileSync(appFile, join(dir, 'app.py'));
  const socket = bind.startsWith('unix:') ? resolve(dir, bind.slice('unix:'.length)) : undefined;
  const flags = [
    '--bind',
    bind,
    '-m',
    options.umask ?? '007',
    '-w',
    String(options.workers ?? 1),
    '--threads',
    String(options.threads ?? 8),
  ];
  const server = await startServer({
    command: [
      ...(on?.prefix ?? []),
      ...(user?.prefix ?? []),
      'gunicorn',
      ...flags,
      '--graceful-timeout',
      '1',
      'app:app',
    ],
    cwd: dir,
    env: { ...serverEnv(dir), ...(options.name === undefined ? {} : { APP_NAME: options.name }) },
    ready: () => answers(place(bind, socket, on)),
    timeoutMs: 60_000,
    stopSignal: 'SIGTERM',
  });
  return { dir, socket, pid: server.pid, stop: () => server.stop() };
}

function place(
  bind: string,
  socket: string | undefined,
  on: Machine | undefined,
): Parameters<typeof answers>[0] {
  const prefix = on?.prefix ?? [];
  return socket === undefined
    ? { url: `http://${bind}/hello`, prefix }
    : { url: 'http://localhost/hello', unixSocket: socket, prefix };
}
