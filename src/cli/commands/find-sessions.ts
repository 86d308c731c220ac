import { closest } from '../../closest.ts';
import { parseDestination } from '../../config/destination.ts';
import { readProfiles } from '../../config/profiles/profile-store.ts';
import type { Profiles } from '../../config/profiles/profile.ts';
import { quoted } from '../../endpoint.ts';
import { NotFoundError, TunnelError } from '../../errors.ts';
import { matching, runningSessions, type RunningSession } from '../../session/control/sessions.ts';
import { sessionName } from '../../session/control/socket.ts';

/**
 * The sessions that the names stand for, each once; all of them where there is no name. Throws a `NotFoundError` for a
 * name that stands for none, and for a process that has a session and does not answer.
 */
export async function findSessions(names: readonly string[]): Promise<readonly RunningSession[]> {
  const { sessions, mute } = await runningSessions();
  const [first] = mute;
  if (first !== undefined && names.length === 0) throw asError(first.error);
  if (names.length === 0) return sessions;
  const found = await Promise.all(names.map((name) => named(sessions, name)));
  return [...new Set(found.flat())];
}

/** The one session that the name stands for. Throws a `NotFoundError` when there is none or more than one. */
export async function findSession(name: string): Promise<RunningSession> {
  const found = await findSessions([name]);
  const [session] = found;
  if (session !== undefined && found.length === 1) return session;
  throw new NotFoundError('ambiguous-session', `${quoted(name)} stands for ${found.length} sessions`, {
    hint: [`Name one of them: ${found.map(({ status }) => status.name).join(', ')}`],
  });
}

async function named(sessions: readonly RunningSession[], name: string): Promise<readonly RunningSession[]> {
  const found = matching(sessions, name);
  // `tunnel stop --all` with nothing to stop has done what was asked.
  if (found.length > 0 || name === '*') return found;
  const ofProfile = await sessionNamesOf(name);
  const opened = sessions.filter(({ status }) => ofProfile.includes(status.name));
  if (opened.length > 0) return opened;
  const names = sessions.map(({ status }) => status.name);
  const similar = closest(name, names);
  const present = names.length === 0 ? 'There is none.' : `There are: ${names.join(', ')}`;
  throw new NotFoundError('no-session', `There is no session ${quoted(name)}`, {
    hint: [similar === undefined ? present : `Did you mean ${similar}?`],
  });
}

/** What the sessions of a profile are called; none where there is no such profile, or none can be read. */
async function sessionNamesOf(name: string): Promise<string[]> {
  const profiles = await readProfiles(() => undefined).catch((): Profiles => ({}));
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (profile === undefined) return [];
  return (profile.sessions ?? [profile]).map(({ host = name, options: { user, port } = {} }) =>
    sessionName(parseDestination(host), {
      ...(user !== undefined && { user }),
      ...(port !== undefined && { port }),
    }),
  );
}

function asError(error: unknown): TunnelError {
  return error instanceof TunnelError ? error : new NotFoundError('no-session', String(error));
}
