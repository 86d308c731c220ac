import { UsageError } from '../../errors.ts';

/** Where something is written: a line of a file, or an `-o` on the command line. */
export interface Place {
  /** Absent: the command line. */
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  /** The option's name, where it is known. */
  readonly key?: string | undefined;
}

export const FIX_HINT = ['Correct or remove it; ssh refuses it as well.'];

/** The error for a configuration that cannot be used: names file, line and key. */
export function configError(place: Place, problem: string, hint: readonly string[] = FIX_HINT): UsageError {
  return new UsageError('ssh-config', `${describePlace(place)}: ${problem}`, { hint });
}

export function describePlace({ file, line, key }: Place): string {
  if (file === undefined) return key === undefined ? 'An -o option' : `-o ${key}`;
  return [file, line === undefined ? '' : `, line ${line}`, key === undefined ? '' : `, ${key}`].join('');
}

export const NEEDS_OPENSSH =
  'Install the OpenSSH client, which is asked where it is there, or write it without this.';

export function unknownOptionHint(key: string): string[] {
  return [`Correct the name or remove it; a line "IgnoreUnknown ${key}" above it has it skipped.`];
}
