/**
 * What a person sees of what was written to a terminal: lines and the cursor, without colours. It knows the control
 * sequences that a spinner uses, and drops the others.
 */
export class Screen {
  #lines: string[][] = [[]];
  #row = 0;
  #column = 0;
  /** A sequence whose end has not come yet. */
  #rest = '';

  /** Without spaces at the ends of lines and empty lines at the end. */
  get text(): string {
    const lines = this.#lines.map((line) =>
      Array.from(line, (cell) => cell ?? ' ')
        .join('')
        .trimEnd(),
    );
    return lines.join('\n').trimEnd();
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
    this.#line[this.#column] = character;
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
    if (which === 2) this.#line.length = 0;
    else if (which === 1) this.#line.fill(' ', 0, this.#column + 1);
    else this.#line.length = Math.min(this.#line.length, this.#column);
  }

  #eraseBelow(): void {
    this.#eraseLine(0);
    this.#lines.length = this.#row + 1;
  }

  #moveTo(row: number, column: number): void {
    this.#row = Math.max(0, row);
    this.#column = column;
    while (this.#lines.length <= this.#row) this.#lines.push([]);
  }

  get #line(): string[] {
    return (this.#lines[this.#row] ??= []);
  }
}

/** A whole control sequence, another escape, or one character; nothing for a sequence that is cut off. */
// oxlint-disable-next-line no-control-regex -- control characters are what it is about
const pattern = /^(?:\x1b\[[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]|\x1b[^[]|[^\x1b])/u;
