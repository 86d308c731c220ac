import type { SessionEvent } from '../../session/events.ts';
import type { Traffic } from '../../session/session.ts';
import type { Screen } from './screen.ts';

/**
 * What `tunnel` shows while a session runs. Results (the forwards, `--json`'s events) go to standard output, where a
 * script reads them; everything else is for a person and goes to standard error.
 */
export interface Output {
  readonly event: (event: SessionEvent) => void;
  /** Something the command itself has to say. */
  readonly note: (message: string) => void;
  /** From now on the traffic is shown, where somebody can see it. */
  readonly watch: (traffic: () => Traffic) => void;
  /** Leaves the terminal to a question until `resume`. */
  readonly suspend: () => void;
  readonly resume: () => void;
  /** Takes away what is not to stay. May be called again. */
  readonly close: () => void;
}

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbosity: number;
}

export interface Screens {
  readonly stdout: Screen;
  readonly stderr: Screen;
}
