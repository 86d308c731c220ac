import type { RefuseAt, Token } from './tokens.ts';

/** A directive or a subdirective: the words of one line, and the block that begins at its end. */
export interface Directive {
  readonly name: string;
  readonly args: readonly Token[];
  readonly line: number;
  readonly block: readonly Directive[] | undefined;
}

/** What stands before a block at the outermost level, and what is in it. */
export interface Block {
  readonly keys: readonly Token[];
  readonly line: number;
  readonly body: readonly Directive[];
}

/** Reads the outermost blocks, with every `import` of a snippet replaced by what is in the snippet. */
export function readBlocks(tokens: readonly Token[], refuse: RefuseAt): readonly Block[] {
  const reader = new Reader(tokens, refuse);
  const blocks: Block[] = [];
  const snippets = new Map<string, readonly Directive[]>();
  while (!reader.done) {
    const block = reader.outermost(blocks.length === 0);
    const snippet = /^\((.+)\)$/.exec(block.keys[0]?.text ?? '')?.[1];
    if (block.keys[0]?.text.startsWith('&(') === true)
      throw refuse(block.line, 'named routes are not supported');
    const body = expandImports(block.body, snippets, refuse);
    if (snippet === undefined) blocks.push({ ...block, body });
    else snippets.set(snippet, body);
  }
  return blocks;
}

class Reader {
  readonly #tokens: readonly Token[];
  readonly #refuse: RefuseAt;
  #at = 0;

  constructor(tokens: readonly Token[], refuse: RefuseAt) {
    this.#tokens = tokens;
    this.#refuse = refuse;
  }

  get done(): boolean {
    return this.#at >= this.#tokens.length;
  }

  outermost(first: boolean): Block {
    const keys: Token[] = [];
    const { line } = this.#peek();
    while (!this.done && !this.#opens()) {
      const token = this.#take();
      keys.push(token);
      const goesOn =
        this.done || token.text.endsWith(',') || this.#peek().line === token.line || this.#opens();
      // A file with one site may do without braces.
      if (!goesOn && first) return { keys, line, body: this.#directives(true) };
      if (!goesOn) throw this.#refuse(token.line, `after ${token.text} a block in braces is missing`);
    }
    if (this.done) return { keys, line, body: [] };
    this.#take();
    return { keys, line, body: this.#directives(false) };
  }

  /** To the closing brace, or to the end of the file. */
  #directives(untilEnd: boolean): readonly Directive[] {
    const directives: Directive[] = [];
    for (;;) {
      if (this.done) {
        if (untilEnd) return directives;
        throw this.#refuse(this.#tokens.at(-1)?.line ?? 1, 'a closing brace is missing');
      }
      if (this.#closes()) {
        if (untilEnd) throw this.#refuse(this.#peek().line, 'there is a closing brace too many');
        this.#take();
        return directives;
      }
      directives.push(this.#directive());
    }
  }

  #directive(): Directive {
    const first = this.#take();
    const { text: name, line } = first;
    const args: Token[] = [];
    let { end } = first;
    while (!this.done && this.#peek().line === end && !this.#opens()) {
      const token = this.#take();
      args.push(token);
      ({ end } = token);
    }
    const opens = !this.done && this.#peek().line === end && this.#opens();
    if (!opens) return { name, args, line, block: undefined };
    this.#take();
    return { name, args, line, block: this.#directives(false) };
  }

  #opens(): boolean {
    return this.#peek().text === '{' && !this.#peek().isQuoted;
  }

  #closes(): boolean {
    return this.#peek().text === '}' && !this.#peek().isQuoted;
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { text: '', line: 0, end: 0, isQuoted: true };
  }

  #take(): Token {
    const token = this.#peek();
    this.#at++;
    return token;
  }
}

function expandImports(
  directives: readonly Directive[],
  snippets: ReadonlyMap<string, readonly Directive[]>,
  refuse: RefuseAt,
): readonly Directive[] {
  return directives.flatMap((directive) => {
    if (directive.name !== 'import') {
      const { block } = directive;
      return [
        block === undefined ? directive : { ...directive, block: expandImports(block, snippets, refuse) },
      ];
    }
    const [name, ...args] = directive.args.map(({ text }) => text);
    const snippet = snippets.get(name ?? '');
    if (snippet === undefined) {
      throw refuse(directive.line, `there is no snippet (${name ?? ''}) above, and files are not imported`);
    }
    return snippet.map((inner) => withArguments(inner, args));
  });
}

/** `{args.0}` and `{args[0]}` of a snippet. */
function withArguments(directive: Directive, values: readonly string[]): Directive {
  const fill = (text: string): string =>
    text.replace(
      /\{args(?:\.(\d+)|\[(\d+)\])\}/g,
      (_, dot?: string, index?: string) => values[Number(dot ?? index)] ?? '',
    );
  return {
    ...directive,
    name: fill(directive.name),
    args: directive.args.map((token) => ({ ...token, text: fill(token.text) })),
    block: directive.block?.map((inner) => withArguments(inner, values)),
  };
}
