import type { SessionStatus } from '../../session/control/status.ts';
import { readForward, type ForwardReport } from '../../session/report.ts';
import { printable } from '../../printable.ts';
import { formatBytes, formatDuration } from '../format.ts';
import { forwardLine } from './lines.ts';
import type { Paint } from './screen.ts';

/** `● vps  ready · via ssh · up 3m 12s · pid 412`, and a line a forward with its own counts. */
export function sessionLines(status: SessionStatus, paint: Paint): string[] {
  const ready = status.state === 'ready';
  const facts = [
    stateText(status),
    `via ${status.via}`,
    `up ${formatDuration(status.uptimeSeconds * 1000)}`,
    `pid ${status.pid}`,
  ];
  return [
    `${paint(ready ? 'green' : 'yellow', ready ? '●' : '○')} ${paint('bold', printable(status.name))}  ${facts.join(' · ')}`,
    ...status.forwards.map(
      (forward) => `  ${forwardLine(readForward(forward), paint)}  ${paint('dim', counts(forward))}`,
    ),
  ];
}

/** The same, and whom it is logged in as, or why it is not. */
export function statusLines(status: SessionStatus, paint: Paint): string[] {
  const [first = '', ...forwards] = sessionLines(status, paint);
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

function counts({ open, total, bytesUp, bytesDown }: ForwardReport): string {
  return `${open} open · ${total} total · ↑ ${formatBytes(bytesUp)} · ↓ ${formatBytes(bytesDown)}`;
}
