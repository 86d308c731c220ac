/** A row of the screen; the line goes on in the next one where it was too long. */
interface Row {
  readonly cells: string[];
  goesOn: boolean;
}

/**
 * What a person sees of what was written to a terminal: lines and the cursor, without colours. It knows the control
 * sequences that a spinner uses, and drops the others. What is too long for its columns goes on in the next row, and
 * when it is resized lines are wrapped anew, as most terminals do.
 */
export class Screen {
  #columns: number;
  #rows: Row[] = [emptyRow()];
  #row = 0;
  #column = 0;
  /** A sequence whose end has not come yet. */
  #rest = '';

  constructor(columns = Infinity) {
    this.#columns = columns;
  }

  /** Whole lines, however they are wrapped, without spaces at their ends and empty lines at the end. */
  get text(): string {
    const rows = this.#rows.map(({ cells, goesOn }) => {
      const text = Array.from(cells, (cell) => cell ?? ' ').join('');
      return goesOn ? text : `${text.trimEnd()}\n`;
    });
    return rows.join('').trimEnd();
  }

  /** The cursor stays at the character that it is at. */
  resize(columns: number): void {
    const before = this.#rows;
    const rows: Row[] = [];
    let line: string[] = [];
    let cursor: number | undefined;
    for (const [index, { cells, goesOn }] of before.entries()) {
      if (index === this.#row) cursor = line.length + this.#column;
      line.push(...cells);
      if (goesOn) continue;
      const wrapped = wrap(line, columns);
      if (cursor !== undefined) {
        const below = Math.min(Math.floor(cursor / columns), wrapped.length - 1);
        this.#row = rows.length + below;
        this.#column = cursor - below * columns;
      }
      rows.push(...wrapped);
      [line, cursor] = [[], undefined];
    }
    this.#rows = rows;
    this.#columns = columns;
  }

  write(data: string): void {
    const text = this.#rest + data;
    let position = 0;
    while (position < text.length) {
      const token = pattern.exec(text.slice(position))?.[0];
      if (token === undefined) break;
      this.#apply(token);
      position += token.length;
    }
    this.#rest = text.slice(position);
  }

  #apply(token: string): void {
    if (token === '\n') this.#moveTo(this.#row + 1, this.#column);
    else if (token === '\r') this.#column = 0;
    else if (token === '\b') this.#column = Math.max(0, this.#column - 1);
    else if (token.startsWith('\x1b[')) this.#control(token.slice(2, -1), token.slice(-1));
    else if (token >= ' ' && !token.startsWith('\x1b')) this.#put(token);
  }

  #put(character: string): void {
    if (this.#column >= this.#columns) {
      this.#current.goesOn = true;
      this.#moveTo(this.#row + 1, 0);
    }
    this.#current.cells[this.#column] = character;
    this.#column += 1;
  }

  /** Control Sequence Introducer: ECMA-48, 8.3. */
  #control(parameters: string, final: string): void {
    const first = Number.parseInt(parameters, 10);
    const count = first || 1;
    if (final === 'A') this.#moveTo(this.#row - count, this.#column);
    else if (final === 'B') this.#moveTo(this.#row + count, this.#column);
    else if (final === 'C') this.#column += count;
    else if (final === 'D') this.#column = Math.max(0, this.#column - count);
    else if (final === 'G') this.#column = count - 1;
    else if (final === 'K') this.#eraseLine(first || 0);
    else if (final === 'J') this.#eraseBelow();
  }

  #eraseLine(which: number): void {
    const { cells } = this.#current;
    if (which === 1) cells.fill(' ', 0, this.#column + 1);
    else {
      cells.length = which === 2 ? 0 : Math.min(cells.length, this.#column);
      this.#current.goesOn = false;
    }
  }

  #eraseBelow(): void {
    this.#eraseLine(0);
    this.#rows.length = this.#row + 1;
  }

  #moveTo(row: number, column: number): void {
    this.#row = Math.max(0, row);
    this.#column = column;
    while (this.#rows.length <= this.#row) this.#rows.push(emptyRow());
  }

  get #current(): Row {
    return (this.#rows[this.#row] ??= emptyRow());
  }
}

function emptyRow(): Row {
  return { cells: [], goesOn: false };
}

function wrap(line: readonly string[], columns: number): Row[] {
  const rows: Row[] = [];
  do {
    const start = rows.length * columns;
    rows.push({ cells: line.slice(start, start + columns), goesOn: line.length > start + columns });
  } while (rows.at(-1)?.goesOn);
  return rows;
}

/**
 * A whole control sequence, a title or another operating system command, a choice of characters, another escape, or one
 * character; nothing for a sequence that is cut off.
 */
const pattern =
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  /^(?:\x1b\[[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[\x20-\x2f]+[\x30-\x7e]|\x1b[^[\]\x20-\x2f]|[^\x1b])/u;
