import type { FlagName } from '../flags.ts';
import { ControlClient } from '../../session/control/client.ts';
import { controlSocketPath } from '../../session/control/socket.ts';
import type { Candidate } from './known.ts';

/** Whoever presses TAB does not wait for a process that hangs. */
const ANSWER_MS = 300;

const kinds: Partial<Record<FlagName, string>> = { forward: 'local', remote: 'remote', dynamic: 'dynamic' };

/** What a session has open and would close under this flag, as it is typed; nothing where none answers at once. */
export async function openForwards(session: string, flag: FlagName): Promise<Candidate[]> {
  try {
    const { forwards } = await new ControlClient(controlSocketPath(session), ANSWER_MS).status();
    return forwards.filter(({ kind }) => kind === kinds[flag]).map(({ spec }) => ({ value: spec }));
  } catch {
    return [];
  }
}
