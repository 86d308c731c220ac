import type { SessionStatus } from '../../session/control/status.ts';
import { readForward, type ForwardReport } from '../../session/report.ts';
import { printable } from '../../printable.ts';
import { formatBytes, formatDuration } from '../format.ts';
import { fold } from './fold.ts';
import { forwardPieces, separated } from './lines.ts';
import { marks } from './marks.ts';
import type { Paint } from './screen.ts';

/** `● vps  ready · via ssh · up 3m 12s · pid 412`, and a line a forward with its own counts; each in several where it is narrow. */
export function sessionLines(status: SessionStatus, paint: Paint, columns: number): string[] {
  const ready = status.state === 'ready';
  const mark = ready ? paint('green', marks.ready) : paint('yellow', marks.waiting);
  const facts = [
    stateText(status),
    `via ${status.via}`,
    `up ${formatDuration(status.uptimeSeconds * 1000)}`,
    `pid ${status.pid}`,
  ];
  const [first = '', ...others] = separated(facts);
  return [
    fold([`${mark} ${paint('bold', printable(status.name))}  ${first}`, ...others], columns, '  '),
    ...status.forwards.map((forward) => {
      const [listen = '', ...others] = forwardPieces(readForward(forward), paint);
      const [open, ...more] = counts(forward).map((piece) => paint('dim', piece));
      return fold([`  ${listen}`, ...others, ` ${open}`, ...more], columns, '    ');
    }),
  ];
}

/** The same, and whom it is logged in as, or why it is not. */
export function statusLines(status: SessionStatus, paint: Paint, columns: number): string[] {
  const [first = '', ...forwards] = sessionLines(status, paint, columns);
  const { user, address, error, viaReason } = status;
  return [
    first,
    ...(user === undefined ? [] : [`  ${paint('dim', printable(`${user}@${address}`))}`]),
    ...(viaReason === undefined ? [] : [`  ${paint('dim', printable(`via ${status.via}: ${viaReason}`))}`]),
    ...(error === undefined ? [] : [error.message, ...error.hint].map((line) => `  ${printable(line)}`)),
    ...forwards,
  ];
}

function stateText({ state, retryInSeconds }: SessionStatus): string {
  return retryInSeconds === undefined ? state : `${state}, next try in ${retryInSeconds} s`;
}

function counts({ open, total, bytesUp, bytesDown }: ForwardReport): string[] {
  return separated([
    `${open} open`,
    `${total} total`,
    `${marks.up} ${formatBytes(bytesUp)}`,
    `${marks.down} ${formatBytes(bytesDown)}`,
  ]);
}
