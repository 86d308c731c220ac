import type { TunnelError } from '../../errors.ts';
import { errorLines, repeatedErrorLine } from './lines.ts';
import type { OutputOptions } from './output.ts';
import { printable } from '../../printable.ts';
import { countRepeats } from './repeats.ts';
import type { Paint } from './screen.ts';

/** The lines for a person that are the same in every output. */
export interface Messages {
  readonly note: (message: string) => void;
  readonly warning: (message: string) => void;
  readonly debug: (message: string) => void;
  readonly error: (error: TunnelError) => void;
  /** Prints the counts that are still held back. */
  readonly flush: () => void;
}

/** `-q` leaves the errors, `-v` adds what is for debugging. */
export function messages(
  { quiet, verbosity }: Pick<OutputOptions, 'quiet' | 'verbosity'>,
  paint: Paint,
  print: (line: string) => void,
): Messages {
  const repeats = countRepeats((error, times) => {
    const lines = times === undefined ? errorLines(error, paint) : [repeatedErrorLine(error, times, paint)];
    for (const line of lines) print(line);
  });
  return {
    note: (message) => !quiet && print(printable(message)),
    warning: (message) => {
      if (quiet) return;
      const [first = '', ...rest] = message.split('\n').map(printable);
      print(`${paint('yellow', '!')} ${first}`);
      for (const line of rest) print(`  ${line}`);
    },
    debug: (message) => verbosity > 0 && print(paint('dim', `debug: ${printable(message)}`)),
    error: repeats.add,
    flush: repeats.flush,
  };
}
