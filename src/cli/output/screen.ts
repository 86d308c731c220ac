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

export const plain: Paint = (_style, text) => text;
