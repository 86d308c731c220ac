import type { FoundPort, FoundSocket, Scan } from '../../discover/scan/found.ts';
import type { HttpAnswer } from '../../discover/scan/http-probe.ts';
import { printable } from '../../printable.ts';
import { cut, cutLeft } from './cut.ts';
import { fold, TABLE_COLUMNS } from './fold.ts';
import { marks } from './marks.ts';
import type { Paint } from './screen.ts';

export interface ScanView {
  readonly all: boolean;
  readonly columns: number;
}

type Found = FoundPort | FoundSocket;

/** A line a port or socket: what is typed for it, its owner and process, and what answers. */
export function scanLines(scan: Scan, { all, columns }: ScanView, paint: Paint): string[] {
  const shown = [...scan.ports, ...scan.sockets].filter(({ system }) => all || !system);
  const folded = scan.ports.length + scan.sockets.length - shown.length;
  return [
    ...(columns < TABLE_COLUMNS ? blocks(shown, columns, paint) : table(shown, columns, paint)),
    ...(shown.length === 0 ? [`Nothing was found that listens on ${printable(scan.host)}.`] : []),
    ...(folded === 0 ? [] : [paint('dim', `${folded} more of the system: tunnel scan --all ${scan.host}`)]),
    ...scan.unseen.map((sentence) => `${paint('yellow', '!')} ${printable(sentence)}`),
  ];
}

/** A line each that fits so many columns, with what is too long for it cut, and whose it is left out where it is narrow. */
export function table(found: readonly Found[], columns: number, paint: Paint): string[] {
  const cells = found.map(cellsOf);
  const narrow = columns < TABLE_COLUMNS;
  const widths = {
    spec: width(
      cells.map(({ spec }) => spec),
      Math.max(16, Math.floor(columns * 0.4)),
    ),
    owner: width(
      cells.map(({ owner }) => owner),
      10,
    ),
    process: width(
      cells.map(({ process }) => process),
      12,
    ),
  };
  const rest = columns - widths.spec - 4 - (narrow ? 0 : widths.owner + widths.process + 4);
  return cells.map(({ access, spec, owner, process, about: text }) => {
    const whose = [
      cut(owner, widths.owner).padEnd(widths.owner),
      cut(process, widths.process).padEnd(widths.process),
    ];
    return [
      `${mark(access, paint)} ${paint('bold', cutLeft(spec, widths.spec).padEnd(widths.spec))}`,
      ...(narrow ? [] : whose),
      cut(text, rest),
    ]
      .join('  ')
      .trimEnd();
  });
}

function blocks(found: readonly Found[], columns: number, paint: Paint): string[] {
  return found.map(cellsOf).map(({ access, spec, owner, process, about: text }) => {
    const pieces = [`${mark(access, paint)} ${paint('bold', spec)}`, ` ${owner}`, ` ${process}`];
    const below = text === '' ? '' : `\n${fold(`    ${text}`.split(/(?<=\S) /), columns, '    ')}`;
    return `${fold(pieces, columns, '    ')}${below}`;
  });
}

function cellsOf(one: Found) {
  return {
    access: one.access,
    spec: printable(one.spec),
    owner: printable(one.owner ?? '-'),
    process: printable(one.process?.name ?? '-'),
    about: printable(about(one)),
  };
}

function mark(access: Found['access'], paint: Paint): string {
  if (access === 'yes') return paint('green', marks.done);
  return access === 'no' ? paint('red', marks.failed) : ' ';
}

function about(found: Found): string {
  const { access, http, caddy } = found;
  const why = access === 'no' ? ('why' in found ? found.why : 'refused') : undefined;
  return [why, http && httpText(http), caddy.length > 0 ? `Caddy ${caddy.join(', ')}` : undefined]
    .filter((part) => part !== undefined)
    .join(` ${marks.and} `);
}

function httpText({ scheme, status, title, server, location }: HttpAnswer): string {
  if (scheme === 'https') return 'HTTPS';
  const what = title === undefined ? server : `"${title}"`;
  const shown = status === 200 ? [] : [String(status)];
  return [
    ...shown,
    ...(what === undefined ? [] : [what]),
    ...(location === undefined ? [] : [`${marks.to} ${location}`]),
  ]
    .join(' ')
    .replace(/^$/, 'HTTP');
}

function width(texts: readonly string[], most: number): number {
  return Math.min(most, Math.max(0, ...texts.map((text) => Array.from(text).length)));
}
