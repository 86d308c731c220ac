import { controlSockets, isAlive, nameOfSocket, removeIfDead } from './socket.ts';
import { ControlClient } from './client.ts';
import type { SessionStatus } from './status.ts';

/** A session of this user that is there. */
export interface RunningSession {
  readonly client: ControlClient;
  readonly status: SessionStatus;
}

/** A process that has a session and does not answer sensibly: it hangs, or is stopped. */
export interface MuteSession {
  readonly path: string;
  /** As far as the name of its socket tells. */
  readonly name: string;
  readonly error: unknown;
}

export interface RunningSessions {
  readonly sessions: readonly RunningSession[];
  readonly mute: readonly MuteSession[];
}

/** Asks every control socket; what dead processes left behind is removed. */
export async function runningSessions(): Promise<RunningSessions> {
  const sessions: RunningSession[] = [];
  const mute: MuteSession[] = [];
  await Promise.all(
    controlSockets().map(async (path) => {
      if (!(await isAlive(path))) return await removeIfDead(path);
      const client = new ControlClient(path);
      try {
        sessions.push({ client, status: await client.status() });
      } catch (error) {
        // It may have ended between the two questions.
        if (await isAlive(path)) mute.push({ path, name: nameOfSocket(path), error });
      }
    }),
  );
  sessions.sort((a, b) => (a.status.name < b.status.name ? -1 : 1));
  return { sessions, mute };
}

/** Those that `pattern` names, where `*` and `?` stand for any letters; a host's name stands for its sessions. */
export function matching(sessions: readonly RunningSession[], pattern: string): RunningSession[] {
  const glob = globOf(pattern);
  const exact = sessions.filter(({ status }) => status.name === pattern);
  return exact.length > 0
    ? exact
    : sessions.filter(({ status }) => glob.test(status.name) || glob.test(status.host));
}

/** Those that `pattern` names, as in `matching`; of which host they are, only their names tell. */
export function matchingMute(mute: readonly MuteSession[], pattern: string): MuteSession[] {
  const glob = globOf(pattern);
  const exact = mute.filter(({ name }) => name === pattern);
  return exact.length > 0
    ? exact
    : mute.filter(({ name }) => glob.test(name) || glob.test(name.replace(/^.*@|:\d+$/g, '')));
}

function globOf(pattern: string): RegExp {
  return new RegExp(
    `^${pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
}
