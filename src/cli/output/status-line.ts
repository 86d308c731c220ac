import { cut } from './cut.ts';
import type { Paint, Screen } from './screen.ts';

const INTERVAL_MS = 1000;

/** From the start of the line on: a terminal that was made narrower has wrapped it, and the rest is below. */
const CLEAR = '\r\u001B[J';

/** One line at the bottom of a terminal that is drawn again every second, with other lines passing above it. */
export interface StatusLine {
  /** Prints a line that stays. */
  print(line: string): void;
  hide(): void;
  show(): void;
  /** Takes the line away for a second, in which another program may write to the terminal. */
  giveWay(): void;
}

/**
 * `text` is asked for when the line is drawn, with the columns there are, and cut to them. On a terminal that is
 * `shared` with another program the line is shown only a second later.
 *
 * The cursor waits at the start of the line. So a terminal that wraps lines anew takes it along, which leaves nothing
 * of the line behind, and the `^C` that it echoes does not make the line longer.
 */
export function statusLine(
  screen: Screen,
  paint: Paint,
  text: (columns: number) => string,
  shared: boolean,
): StatusLine {
  let timer: NodeJS.Timeout | undefined;
  let isDrawn = false;
  const draw = () => {
    const columns = (screen.columns ?? 80) - 1;
    screen.write(`\r${paint('dim', cut(text(columns), columns))}\u001B[J\r`);
    isDrawn = true;
  };
  const clear = () => {
    clearInterval(timer);
    if (isDrawn) screen.write(CLEAR);
    isDrawn = false;
  };
  const start = () => setInterval(draw, INTERVAL_MS).unref();
  return {
    print(line) {
      screen.write(isDrawn ? `${CLEAR}${line}\n` : `${line}\n`);
      if (isDrawn) draw();
    },
    hide() {
      clear();
      timer = undefined;
    },
    show() {
      if (timer) return;
      timer = start();
      if (!shared) draw();
    },
    giveWay() {
      if (!timer) return;
      clear();
      timer = start();
    },
  };
}
