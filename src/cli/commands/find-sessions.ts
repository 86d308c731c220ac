import { closest } from '../../closest.ts';
import { parseDestination } from '../../config/destination.ts';
import type { Profiles } from '../../config/profiles/profile.ts';
import { quoted } from '../../endpoint.ts';
import { NotFoundError } from '../../errors.ts';
import {
  matching,
  matchingMute,
  runningSessions,
  type MuteSession,
  type RunningSession,
} from '../../session/control/sessions.ts';
import { sessionName } from '../../session/control/socket.ts';
import { shellWord } from '../../shell-word.ts';
import type { Screens } from '../output/output.ts';

export interface FoundSessions {
  readonly sessions: readonly RunningSession[];
  /** What is to be said of each that was meant and does not answer. */
  readonly mute: readonly NotFoundError[];
}

/**
 * The sessions that the names stand for, each once; all of them where there is no name. Throws a `NotFoundError` for a
 * name that stands for none.
 */
export async function lookUpSessions(names: readonly string[]): Promise<FoundSessions> {
  const { sessions, mute } = await runningSessions();
  if (names.length === 0) return { sessions, mute: mute.map(silence) };
  const silent = new Set<MuteSession>();
  const found: RunningSession[] = [];
  for (const name of names) {
    const hanging = matchingMute(mute, name);
    for (const one of hanging) if (one.name === name || !isExact(sessions, name)) silent.add(one);
    // What hangs under that very name is meant, and not another session with the same host.
    if (hanging.some((one) => one.name === name)) continue;
    found.push(...(hanging.length > 0 ? matching(sessions, name) : await named(sessions, name)));
  }
  return { sessions: [...new Set(found)], mute: [...silent].map(silence) };
}

function isExact(sessions: readonly RunningSession[], name: string): boolean {
  return sessions.some(({ status }) => status.name === name);
}

/** As `lookUpSessions`, for whoever needs them all: one that does not answer is a `NotFoundError`, too (`mute-session`). */
export async function findSessions(names: readonly string[]): Promise<readonly RunningSession[]> {
  const { sessions, mute } = await lookUpSessions(names);
  const [first] = mute;
  if (first !== undefined) throw first;
  return sessions;
}

/** Says what does not answer. Returns the exit status: 1 if there is any. */
export function warnOfMute(mute: readonly NotFoundError[], { stderr }: Pick<Screens, 'stderr'>): number {
  for (const { message, hint } of mute) stderr.write(`! ${[message, ...hint].join('\n  ')}\n`);
  return mute.length === 0 ? 0 : 1;
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
  const { readProfiles } = await import('../../config/profiles/profile-store.ts');
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

function silence({ name, path, error }: MuteSession): NotFoundError {
  return new NotFoundError('mute-session', `The session ${name} is there, and its process does not answer`, {
    cause: error,
    hint: [
      `It hangs, or is stopped. Its process has ${path} open: lsof ${shellWord(path)}`,
      'kill -CONT PID has a stopped one go on. kill -KILL PID ends it; the next command cleans up after it.',
    ],
  });
}
