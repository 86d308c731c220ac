import { emitKeypressEvents } from 'node:readline';
import type { ReadStream } from 'node:tty';
import { cut } from './output/cut.ts';
import { fold } from './output/fold.ts';
import { marks } from './output/marks.ts';
import { columnsOf, painter, type Screen } from './output/screen.ts';

interface Key {
  readonly name?: string;
  readonly ctrl?: boolean;
  readonly sequence?: string;
}

/** What is chosen so far. */
export interface Choice {
  readonly at: number;
  readonly chosen: ReadonlySet<number>;
  /** `done` or `given-up` ends it. */
  readonly state: 'choosing' | 'done' | 'given-up';
}

const KEYS = '(arrows, space to tick, a for all, Enter)';

/** What stands before each line of the list. */
export const BEFORE_COLUMNS = `${marks.here} ${marks.open} `.length;

/** The rows that are shown at once, where there are more. */
const ROWS = 15;

/**
 * Has the person choose of a list, with the arrows, space and Enter. Enter with nothing ticked takes the line that it is
 * on. Fulfils with the indices, in order, or with undefined if they gave up (Escape, q, Ctrl-C, Ctrl-D).
 */
export async function choose(
  question: string,
  lines: readonly string[],
  { input, output }: { readonly input: ReadStream; readonly output: Screen },
): Promise<readonly number[] | undefined> {
  let choice: Choice = { at: 0, chosen: new Set(), state: 'choosing' };
  const paint = painter(output);
  let drawn = 0;
  const erase = (): void => {
    if (drawn > 0) output.write(`\u001b[${drawn}A\u001b[J`);
  };
  // What takes more rows than it is counted for could not be erased.
  const columns = columnsOf(output);
  const heading = [paint('bold', cut(question, columns)), paint('dim', cut(KEYS, columns))];
  const draw = (): void => {
    const rows = [...fold(heading, columns, '').split('\n'), ...visible(lines, choice)];
    erase();
    output.write(rows.map((row) => `${row}\n`).join(''));
    drawn = rows.length;
  };
  emitKeypressEvents(input);
  const wasRaw = input.isRaw;
  input.setRawMode(true);
  input.resume();
  output.write('\u001b[?25l');
  draw();
  try {
    await new Promise<void>((resolve) => {
      const onKey = (_text: string | undefined, key: Key): void => {
        choice = pressed(choice, key, lines.length);
        if (choice.state === 'choosing') return draw();
        input.off('keypress', onKey);
        resolve();
      };
      input.on('keypress', onKey);
      input.once('end', () => {
        choice = { ...choice, state: 'given-up' };
        resolve();
      });
    });
  } finally {
    erase();
    output.write('\u001b[?25h');
    input.setRawMode(wasRaw);
    input.pause();
  }
  if (choice.state !== 'done') return undefined;
  return choice.chosen.size > 0 ? [...choice.chosen].toSorted((a, b) => a - b) : [choice.at];
}

/** What a key makes of a choice among `count`. */
export function pressed(choice: Choice, { name, ctrl, sequence }: Key, count: number): Choice {
  if (ctrl === true) {
    return name === 'c' || name === 'd' ? { ...choice, state: 'given-up' } : choice;
  }
  switch (name ?? sequence) {
    case 'up':
    case 'k':
      return { ...choice, at: (choice.at + count - 1) % count };
    case 'down':
    case 'j':
      return { ...choice, at: (choice.at + 1) % count };
    case 'space':
      return { ...choice, chosen: toggled(choice.chosen, choice.at) };
    case 'a':
      return {
        ...choice,
        chosen:
          choice.chosen.size === count ? new Set() : new Set(Array.from({ length: count }, (_, i) => i)),
      };
    case 'return':
    case 'enter':
      return { ...choice, state: 'done' };
    case 'escape':
    case 'q':
      return { ...choice, state: 'given-up' };
    default:
      return choice;
  }
}

function toggled(chosen: ReadonlySet<number>, index: number): ReadonlySet<number> {
  const next = new Set(chosen);
  if (!next.delete(index)) next.add(index);
  return next;
}

function visible(lines: readonly string[], { at, chosen }: Choice): string[] {
  const first = Math.max(0, Math.min(at - Math.floor(ROWS / 2), lines.length - ROWS));
  return lines
    .map(
      (line, index) =>
        `${index === at ? marks.here : ' '} ${chosen.has(index) ? marks.chosen : marks.open} ${line}`,
    )
    .slice(first, first + ROWS);
}
