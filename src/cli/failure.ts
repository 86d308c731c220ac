import { TunnelError } from '../errors.ts';
import { errorLines } from './output/lines.ts';
import { painter, type Screen } from './output/screen.ts';
import { printable } from '../printable.ts';

/** What a person reads about the error that ends the program, with `more` hints, and the status it ends with. */
export function describeFailure(
  error: unknown,
  verbosity: number,
  screen: Screen,
  more: readonly string[] = [],
): { text: string; exitStatus: number } {
  const { message, hint } = error instanceof TunnelError ? error : internalError(error);
  const lines = errorLines({ message, hint: [...hint, ...more] }, painter(screen));
  if (verbosity > 0) lines.push(...(error instanceof TunnelError ? causeLines(error) : stackLines(error)));
  return {
    text: lines.map((line) => `${line}\n`).join(''),
    exitStatus: error instanceof TunnelError ? error.exitStatus : 1,
  };
}

function internalError(error: unknown): { message: string; hint: string[] } {
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    message: `Internal error: ${reason}`,
    hint: ['This is a mistake in tunnel. Please report it, with what the same command shows with -v.'],
  };
}

/** An error for a person needs no stack; what it was made from may tell more than its sentence. */
function causeLines({ cause }: TunnelError): string[] {
  return cause instanceof Error ? [`caused by: ${printable(String(cause))}`] : [];
}

function stackLines(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const lines = (error.stack ?? '').split('\n').map((line) => printable(line));
  if (error.cause === undefined) return lines;
  return [...lines, 'caused by:', ...stackLines(error.cause)];
}
