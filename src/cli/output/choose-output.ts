import type { Output, OutputOptions, Screens } from './output.ts';
import { canRedraw } from './screen.ts';

/** The output that suits the flags and the streams. */
export async function chooseOutput(options: OutputOptions, screens: Screens): Promise<Output> {
  if (options.json) return (await import('./json.ts')).jsonOutput(options, screens);
  if (!options.quiet && canRedraw(screens.stderr)) {
    return (await import('./terminal.ts')).terminalOutput(options, screens);
  }
  return (await import('./plain.ts')).plainOutput(options, screens);
}
