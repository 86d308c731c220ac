import { removeIfDead, controlSockets, isAlive } from './socket.ts';
import { ControlClient } from './client.ts';
import type { SessionStatus } from './status.ts';

/** A session of this user that is there. */
export interface RunningSession {
  readonly client: ControlClient;
  readonly status: SessionStatus;
}

export interface RunningSessions {
  readonly sessions: readonly RunningSession[];
  /** What answers, but not sensibly: a process that hangs. */
  readonly mute: readonly { readonly path: string; readonly error: unknown }[];
}

/** Asks every control socket; what dead processes left behind is removed. */
export async function runningSessions(): Promise<RunningSessions> {
  const sessions: RunningSession[] = [];
  const mute: { path: string; error: unknown }[] = [];
  await Promise.all(
    controlSockets().map(async (path) => {
      if (!(await isAlive(path))) return await removeIfDead(path);
      const client = new ControlClient(path);
      try {
        sessions.push({ client, status: await client.status() });
      } catch (error) {
        // It may have ended between the two questions.
        if (await isAlive(path)) mute.push({ path, error });
      }
    }),
  );
  sessions.sort((a, b) => (a.status.name < b.status.name ? -1 : 1));
  return { sessions, mute };
}

/** Those that are named by one of `patterns`, where `*` and `?` stand for any letters; a host's name stands for its sessions. */
export function matching(sessions: readonly RunningSession[], pattern: string): RunningSession[] {
  const glob = new RegExp(
    `^${pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
  const exact = sessions.filter(({ status }) => status.name === pattern);
  return exact.length > 0
    ? exact
    : sessions.filter(({ status }) => glob.test(status.name) || glob.test(status.host));
}
