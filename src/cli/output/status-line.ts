import { cut } from './cut.ts';
import type { Paint, Screen } from './screen.ts';

const INTERVAL_MS = 1000;
const CLEAR = '\r\u001B[K';

/** One line at the bottom of a terminal that is drawn again every second, with other lines passing above it. */
export interface StatusLine {
  /** Prints a line that stays. */
  print(line: string): void;
  hide(): void;
  show(): void;
}

/** `text` is asked for when the line is drawn. It is cut to the terminal's width: a wrapped line cannot be cleared. */
export function statusLine(screen: Screen, paint: Paint, text: () => string): StatusLine {
  let timer: NodeJS.Timeout | undefined;
  let length = 0;
  const draw = () => {
    const columns = screen.columns ?? 80;
    const line = cut(text(), columns - 1);
    screen.write(`${backToStart(length, columns)}${paint('dim', line)}\u001B[K`);
    length = line.length;
  };
  return {
    print(line) {
      screen.write(timer ? `${CLEAR}${line}\n` : `${line}\n`);
      if (timer) draw();
    },
    hide() {
      if (!timer) return;
      clearInterval(timer);
      timer = undefined;
      screen.write(CLEAR);
    },
    show() {
      if (timer) return;
      timer = setInterval(draw, INTERVAL_MS).unref();
      draw();
    },
  };
}

/** A terminal that was made narrower has wrapped the line that was drawn before. */
function backToStart(length: number, columns: number): string {
  const above = length === 0 ? 0 : Math.floor((length - 1) / columns);
  return above === 0 ? '\r' : `\u001B[${above}A\r\u001B[J`;
}
