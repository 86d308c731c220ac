import { version } from '../../version.ts';
import { openEntry } from '../command-table.ts';
import { flagTerms, shownCommands, usageLines } from './lists.ts';
import type { Block } from './text.ts';
import { topics } from './topics.ts';

/** tunnel.1, in the macros of man(7). The build writes it. */
export function manPage(): string {
  const lines = [
    `.TH TUNNEL 1 "" "tunnel ${version}" "User Commands"`,
    '.SH NAME',
    String.raw`tunnel \- remote ports and Unix sockets on local ports, over one SSH connection`,
    '.SH SYNOPSIS',
    ...[...usageLines('[FLAGS]', openEntry), 'tunnel COMMAND ...'].flatMap((line, index) => [
      ...(index === 0 ? [] : ['.br']),
      escaped(line),
    ]),
    '.SH COMMANDS',
    ...shownCommands().flatMap(([name, entry]) => [
      '.TP',
      `.B ${escaped(usageLines(name, entry).join(', '))}`,
      escaped(entry.about),
      ...(entry.details ?? []).flatMap((paragraph) => ['.IP', escaped(paragraph)]),
    ]),
    '.SH FLAGS',
    ...flagTerms(() => true).flatMap(([term, text]) => termLines(term.trim(), text)),
    ...Object.values(topics).flatMap(({ title, blocks }) => [
      `.SH ${title.toUpperCase()}`,
      ...blocks.flatMap(blockLines),
    ]),
    '.SH SEE ALSO',
    '.BR ssh (1),',
    '.BR ssh_config (5)',
  ];
  return `${lines.join('\n')}\n`;
}

function blockLines(block: Block): string[] {
  if (typeof block === 'string') return ['.PP', escaped(block)];
  if ('code' in block) return ['.PP', '.nf', '.RS', ...block.code.map(escaped), '.RE', '.fi'];
  return block.terms.flatMap(([term, text]) => termLines(term, text));
}

function termLines(term: string, text: string): string[] {
  return ['.TP', `.B ${escaped(term)}`, escaped(text)];
}

/** A line that begins with a dot or a quotation mark would be a request; a bare hyphen is typeset as another character. */
function escaped(text: string): string {
  const plain = text
    .replaceAll('\\', String.raw`\e`)
    .replaceAll('-', String.raw`\-`)
    .replaceAll('~', String.raw`\(ti`);
  return /^[.']/.test(plain) ? String.raw`\&` + plain : plain.replaceAll('"', String.raw`\(dq`);
}
