import type { Output, OutputOptions, Screens } from './output.ts';
import type { Screen } from './screen.ts';

/** The output that suits the flags and the streams. */
export async function chooseOutput(options: OutputOptions, screens: Screens): Promise<Output> {
  if (options.json) return (await import('./json.ts')).jsonOutput(options, screens);
  if (!options.quiet && canRedraw(screens.stderr)) {
    return (await import('./terminal.ts')).terminalOutput(options, screens);
  }
  return (await import('./plain.ts')).plainOutput(options, screens);
}

/** A terminal made by a program may have no size (`ssh -tt` in a script), and ora never ends on one. */
function canRedraw(screen: Screen): boolean {
  return screen.isTTY === true && (screen.columns ?? 0) > 0 && process.env.TERM !== 'dumb';
}
