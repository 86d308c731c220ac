import { readFile } from 'node:fs/promises';
import { UsageError } from '../../errors.ts';
import type { Destination, SshFlags } from '../settings.ts';
import { configError, describePlace, FIX_HINT, unknownOptionHint, type Place } from './config-error.ts';

/** `FILE: line 3: PROBLEM` and `FILE line 3: PROBLEM`, where FILE may be "command-line". */
export const LOCATED = /^(.+?):? line (\d+): (.+?)\.?$/;
const UNKNOWN_OPTION = /^Bad configuration option: (\S+)$/;

/** What ssh says whenever it has no terminal. */
const NO_TERMINAL = 'Pseudo-terminal';

/** The error for what ssh wrote when it refused the configuration: the first complaint, with the others as a hint. */
export async function explainComplaint(
  stderr: string,
  { host }: Destination,
  flags: SshFlags,
): Promise<UsageError> {
  const lines = stderr.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith(NO_TERMINAL));
  const located = lines.map((line) => LOCATED.exec(line)).filter((match) => match !== null);
  const [first, ...others] = await Promise.all(
    located.map(async ([, file = '', line, problem = '']) => {
      const key = UNKNOWN_OPTION.exec(problem)?.[1];
      return { problem, isUnknown: key !== undefined, place: await placeOf(file, Number(line), key, flags) };
    }),
  );
  if (first === undefined) return withoutPlace(lines, host);
  const hint = first.isUnknown ? unknownOptionHint(first.place.key ?? '') : FIX_HINT;
  const more = others.map(({ place, problem }) => `Then ${describePlace(place)}: ${problem}`);
  return configError(first.place, first.problem, [...hint, ...more]);
}

function withoutPlace([problem = 'it does not say why', ...more]: string[], host: string): UsageError {
  return new UsageError('ssh-config', `ssh does not accept the configuration for ${host}: ${problem}`, {
    hint: [...more, `See what it says itself: ssh -G ${host}`],
  });
}

/** ssh names the line, not what is in it. */
async function placeOf(file: string, line: number, key: string | undefined, flags: SshFlags): Promise<Place> {
  if (file === 'command-line') {
    return { key: key ?? (flags.options?.length === 1 ? keyword(flags.options[0]) : undefined) };
  }
  const text = await readFile(file, 'utf8').catch(() => '');
  return { file, line, key: keyword(text.split('\n')[line - 1]) ?? key };
}

function keyword(text: string | undefined): string | undefined {
  return /^\s*([a-z]\w*)/i.exec(text ?? '')?.[1];
}
