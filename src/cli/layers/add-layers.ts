import { readProfiles } from '../../config/profiles/profile-store.ts';
import type { Profile, ProfileSession } from '../../config/profiles/profile.ts';
import { UsageError } from '../../errors.ts';
import type { ReadLine } from '../arguments.ts';
import type { Command } from '../command.ts';
import { messages } from '../output/messages.ts';
import { painter, type Screen } from '../output/screen.ts';
import { splitWords } from '../words.ts';
import { environmentLayers } from './environment.ts';
import { withLayers, type Layer, type Sourced } from './layer.ts';
import { profileLayer } from './profile-layer.ts';
import { projectLayers } from './project-layer.ts';

/** What `readCommands` gives for a line about a host. */
export async function addLayers(
  { command, line, entry, read: readCommand }: Required<ReadLine>,
  stderr: Screen,
  env: Readonly<NodeJS.ProcessEnv>,
): Promise<readonly Command[]> {
  const say = messages({ quiet: line.flags.quiet ?? false, verbosity: 0 }, painter(stderr), (text) =>
    stderr.write(`${text}\n`),
  );
  const { forward = [], remote = [], dynamic = [] } = line.flags;
  const { host, specs } = splitWords(line.words, forward);
  const inWords = specs
    .slice(0, specs.length - forward.length)
    .map((value): Sourced => ({ flag: 'forward', value, source: 'command line' }));
  const opensTyped = specs.length + remote.length + dynamic.length > 0;
  const profiles = await readProfiles(say.warning);
  const profile = Object.hasOwn(profiles, host) ? profiles[host] : undefined;
  const sessions = sessionsOf(profile, host);
  if (sessions.length > 1 && opensTyped) throw whichOfThem(host, sessions);

  const isAsked = command.name !== 'explain';
  // Of several hosts none is meant more than the others.
  const project = opensTyped || sessions.length > 1 ? [] : await projectLayers(say, isAsked);
  return sessions.map((session) => {
    const layers: Layer[] = [
      ...environmentLayers(env),
      ...project,
      ...(profile === undefined ? [] : [profileLayer(host, session)]),
    ];
    const { flags, sources } = withLayers(line.flags, entry.flags, layers, opensTyped);
    // Where the host stands last it is replaced there.
    const at = line.words.indexOf(host);
    const words = line.words.map((word, index) => (index === at ? (session.host ?? host) : word));
    const read = readCommand({ ...line, words, flags });
    const hostSource: Sourced = {
      flag: 'host',
      value: session.host ?? host,
      source: hostSourceOf(host, session),
    };
    return read.name === 'explain'
      ? { ...read, ...saying(command), sources: [hostSource, ...inWords, ...sources] }
      : { ...read, ...saying(command) };
  });
}

/** `-q` and `-v` count in their order, which is known already. */
function saying(command: Command): object {
  if (!('verbosity' in command)) return {};
  const { json, quiet, verbosity } = command;
  return { json, quiet, verbosity };
}

function sessionsOf(profile: Profile | undefined, host: string): readonly ProfileSession[] {
  return profile === undefined ? [{ host }] : (profile.sessions ?? [profile]);
}

function hostSourceOf(host: string, session: ProfileSession): string {
  return session.host === undefined || session.host === host ? 'command line' : `profile (${host})`;
}

function whichOfThem(name: string, sessions: readonly ProfileSession[]): UsageError {
  return new UsageError('several-hosts', `The profile ${name} has several hosts: where is it to be opened?`, {
    hint: [`Name one: ${sessions.map(({ host }) => host).join(', ')}`],
  });
}
