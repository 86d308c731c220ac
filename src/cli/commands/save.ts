import { readProfiles, updateProfiles } from '../../config/profiles/profile-store.ts';
import type { Profile, ProfileSession } from '../../config/profiles/profile.ts';
import { NotFoundError, UsageError } from '../../errors.ts';
import { matching, runningSessions } from '../../session/control/sessions.ts';
import type { SessionStatus } from '../../session/control/status.ts';
import { readForward } from '../../session/report.ts';
import { commandTable } from '../command-table.ts';
import type { SaveCommand } from '../command.ts';
import { messages } from '../output/messages.ts';
import type { Screens } from '../output/output.ts';
import { painter } from '../output/screen.ts';
import { keptForwards, keptVpn, sshOptionsOf } from '../profile-lines.ts';

/**
 * Keeps what is given, or what the session of that name has open, as a profile. Fulfils with the exit status; throws a
 * `UsageError` for what would be no profile, and a `NotFoundError` where nothing is given and no session runs.
 */
export async function save(command: SaveCommand, { stdout, stderr }: Screens = process): Promise<number> {
  const { profile: name, description, tags } = command;
  const { warning } = messages(command, painter(stderr), (line) => stderr.write(`${line}\n`));
  if (Object.hasOwn(commandTable, name)) {
    throw new UsageError('bad-profile-name', `${name} is a command, and would not be found as a profile`);
  }
  const session = command.session ?? (await runningSession(name));
  let isNew = true;
  await updateProfiles((profiles) => {
    const before = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
    isNew = before === undefined;
    return { ...profiles, [name]: { ...kept(before), ...about({ description, tags }), ...session } };
  }, warning);
  if (command.json) {
    stdout.write(`${JSON.stringify((await readProfiles(warning))[name], undefined, 2)}\n`);
  } else stdout.write(`${isNew ? 'Saved' : 'Replaced'} the profile ${name}. To open it: tunnel ${name}\n`);
  return 0;
}

function kept({ description, tags }: Profile = {}): Profile {
  return about({ description, tags });
}

function about({
  description,
  tags,
}: {
  description: string | undefined;
  tags: readonly string[] | undefined;
}) {
  return { ...(description !== undefined && { description }), ...(tags && { tags }) };
}

async function runningSession(name: string): Promise<ProfileSession> {
  const { sessions } = await runningSessions();
  const [found, another] = matching(sessions, name);
  if (found !== undefined && another === undefined) return sessionOf(found.status, name);
  throw new NotFoundError('no-session', `There is no session ${name} to keep`, {
    hint: [`Say what it is to open: tunnel save ${name} HOST SPEC...`],
  });
}

/** Its name has its user and port in it. */
function sessionOf(
  { name, flags, transport, vpn, forwards }: SessionStatus,
  profile: string,
): ProfileSession {
  const { user: _user, port: _port, ...others } = flags;
  const options = { ...sshOptionsOf(others), ...(transport !== 'auto' && { transport }) };
  return {
    ...(name !== profile && { host: name }),
    ...keptForwards(forwards.map((forward) => readForward(forward).spec)),
    ...keptVpn(vpn),
    ...(Object.keys(options).length > 0 && { options }),
  };
}
