import { styleText } from 'node:util';

/** What is needed of a `tty.WriteStream`, or of any stream that is none. */
export interface Screen {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number | undefined;
  readonly writableLength?: number;
  hasColors?(): boolean;
}

type Style = Parameters<typeof styleText>[0];

export type Paint = (style: Style, text: string) => string;

/** Colours for a terminal that has them; Node.js heeds NO_COLOR, FORCE_COLOR and TERM in `hasColors`. */
export function painter(screen: Screen): Paint {
  const colours = screen.isTTY === true && screen.hasColors?.() === true;
  return colours ? (style, text) => styleText(style, text, { validateStream: false }) : plain;
}

/** A terminal made by a program may have no size (`ssh -tt` in a script), and ora never ends on one. */
export function canRedraw(screen: Screen): boolean {
  return screen.isTTY === true && (screen.columns ?? 0) > 0 && process.env.TERM !== 'dumb';
}

/** What fits in a line; anything where nobody sees its end. */
export function columnsOf(screen: Screen): number {
  return screen.isTTY === true ? screen.columns || 80 : Infinity;
}

/** The stream as if it were no terminal: for `--plain`. */
export function withoutTerminal(stream: Screen): Screen {
  return {
    write: (text) => stream.write(text),
    get writableLength() {
      return stream.writableLength ?? 0;
    },
  };
}

export const plain: Paint = (_style, text) => text;
